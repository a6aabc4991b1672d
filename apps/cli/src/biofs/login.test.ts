import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { canonicalJson } from '@helixmesh/protocol';
import { type Bench, makeBench, runBiofs } from '../testing/cli.ts';
import { keystoreCrypto } from './testing/keystore.ts';

const KEY = 'ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80';
const ADDRESS = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';
const OTHER_KEY = '59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d';

/** A folder with a key file and the genesis documents of two networks. */
async function bench(t: TestContext): Promise<Bench> {
  const made = await makeBench(t);
  const { HELIXMESH_WALLET_KEY: _, ...env } = made.env;
  const write = (name: string, text: string) =>
    writeFile(join(made.folder, name), text, { mode: 0o600 });
  await write('wallet.key', `${KEY}\n`);
  await write('other.key', `${OTHER_KEY}\n`);
  for (const name of ['one', 'two']) {
    await write(
      `${name}.json`,
      canonicalJson({
        type: 'helixmesh/genesis/v1',
        name,
        createdAtMs: 1_700_000_000_000,
        nonce: '00112233445566778899aabbccddeeff',
        coordinators: [],
        attestedOperators: [],
      }),
    );
  }
  return { folder: made.folder, env };
}

const LOGIN = ['--json', 'login', '--key-file', 'wallet.key', '--genesis', 'one.json'];

async function answer(b: Bench, args: readonly string[]) {
  const { code, stdout, stderr } = await runBiofs(b, args);
  assert.equal(code, 0, `${args.join(' ')}\n${stdout}${stderr}`);
  return JSON.parse(stdout);
}

async function failure(b: Bench, args: readonly string[]) {
  const { code, stdout } = await runBiofs(b, ['--json', ...args]);
  return { exit: code, ...(JSON.parse(stdout).error as { code: string; hint?: string }) };
}

test('a login leaves a session for a day, for its owner alone, and nothing of the wallet', async (t) => {
  const b = await bench(t);
  const { account, expiresAtMs, custodian } = await answer(b, LOGIN);
  assert.equal(account, ADDRESS);
  assert.equal(custodian, null);
  assert.ok(expiresAtMs > Date.now() + 86_000_000 && expiresAtMs <= Date.now() + 86_400_000);
  const data = join(b.folder, 'data');
  const found = await readdir(data, { recursive: true, withFileTypes: true });
  const files = found.filter((entry) => entry.isFile());
  assert.ok(files.length >= 4, 'login, network, keys and custody were looked at');
  for (const { parentPath, name } of files) {
    const path = join(parentPath, name);
    assert.equal((await stat(path)).mode & 0o077, 0, path);
    const bytes = await readFile(path);
    assert.equal(bytes.indexOf(KEY), -1, path);
    assert.equal(bytes.indexOf(Buffer.from(KEY, 'hex')), -1, path);
  }
  assert.deepEqual(await answer(b, ['--json', 'ls']), []);
});

test('a keystore opens with the passphrase of a file or of the environment, else nobody is asked', async (t) => {
  const b = await bench(t);
  const keystore = { version: 3, crypto: await keystoreCrypto(KEY, 'open sesame') };
  await writeFile(join(b.folder, 'wallet.json'), JSON.stringify(keystore));
  await writeFile(join(b.folder, 'passphrase'), 'open sesame\n');
  const login = ['login', '--key-file', 'wallet.json', '--genesis', 'one.json'];
  const { exit, code, hint } = await failure(b, login);
  assert.deepEqual([exit, code], [64, 'USAGE']);
  assert.match(hint ?? '', /--passphrase-file|HELIXMESH_WALLET_PASSPHRASE/);
  const wrong = { ...b, env: { ...b.env, HELIXMESH_WALLET_PASSPHRASE: 'wrong' } };
  assert.equal((await failure(wrong, login)).code, 'KEY_NOT_HELD');
  await answer(b, ['--json', ...login, '--passphrase-file', 'passphrase']);
  const right = { ...b, env: { ...b.env, HELIXMESH_WALLET_PASSPHRASE: 'open sesame' } };
  assert.equal((await answer(right, ['--json', ...login])).account, ADDRESS);
});

test('the key may stand in the environment; without any place for it the hint says where', async (t) => {
  const b = await bench(t);
  const login = ['login', '--genesis', 'one.json'];
  assert.equal((await failure(b, login)).code, 'INPUT_NOT_FOUND');
  const env = { ...b.env, HELIXMESH_WALLET_KEY: `0x${KEY}` };
  assert.equal((await answer({ ...b, env }, ['--json', ...login])).account, ADDRESS);
});

test('a folder belongs to one person and one network', async (t) => {
  const b = await bench(t);
  assert.equal((await failure(b, LOGIN.slice(1, 4))).code, 'CONFIG_INVALID');
  await answer(b, LOGIN);
  const other = ['login', '--key-file', 'other.key'];
  assert.equal((await failure(b, other)).code, 'CONFLICT');
  const elsewhere = ['login', '--key-file', 'wallet.key', '--genesis', 'two.json'];
  assert.equal((await failure(b, elsewhere)).code, 'CONFLICT');
  await answer(b, LOGIN);
  await answer(b, ['--json', 'logout']);
  await answer(b, ['--json', ...other]);
});

test('a wallet that was exchanged signs nothing', async (t) => {
  const b = await bench(t);
  await answer(b, [...LOGIN, '--custodian', '127.0.0.1:7402']);
  await writeFile(join(b.folder, 'wallet.key'), OTHER_KEY);
  await writeFile(join(b.folder, 'reads.vcf'), '##fileformat=VCFv4.3\n');
  const vault = `node_${'ab'.repeat(32)}@127.0.0.1:1`;
  assert.equal((await failure(b, ['put', 'reads.vcf', '--vault', vault])).code, 'CONFLICT');
  assert.deepEqual(await answer(b, ['--json', 'ls']), []);
});

test('a vault that is not there leaves the keys in the custody and the body in the spool', async (t) => {
  const b = await bench(t);
  await answer(b, LOGIN);
  await writeFile(join(b.folder, 'reads.vcf'), '##fileformat=VCFv4.3\n');
  const put = ['put', 'reads.vcf', '--vault', `node_${'ab'.repeat(32)}@127.0.0.1:1`];
  for (const _ of ['once', 'and again']) {
    const { exit, code } = await failure(b, put);
    assert.deepEqual([exit, code], [69, 'PEER_UNREACHABLE']);
    const [dataset, ...others] = await answer(b, ['--json', 'ls']);
    assert.deepEqual([dataset.state, dataset.fileName, others.length], ['pending', 'reads.vcf', 0]);
    assert.equal((await readdir(join(b.folder, 'data', 'spool'))).length, 1);
  }
});

test('after logging out, and before logging in, commands say how to log in', async (t) => {
  const b = await bench(t);
  const before = await failure(b, ['ls']);
  assert.deepEqual([before.exit, before.code], [77, 'UNAUTHENTICATED']);
  assert.match(before.hint ?? '', /biofs login/);
  await answer(b, LOGIN);
  assert.deepEqual(await answer(b, ['--json', 'logout']), { wasLoggedIn: true });
  assert.deepEqual(await answer(b, ['--json', 'logout']), { wasLoggedIn: false });
  assert.equal((await failure(b, ['ls'])).code, 'UNAUTHENTICATED');
});

test('wrong usage is answered with a suggestion, as by helixmesh', async (t) => {
  const b = await bench(t);
  const { code, stderr } = await runBiofs(b, ['dwnload', 'x']);
  assert.equal(code, 64);
  assert.match(stderr, /unknown command 'dwnload'\n {2}→ Did you mean download\?/);
  assert.equal((await failure(b, ['put', 'x', '--vault', 'localhost:1'])).code, 'USAGE');
  await mkdir(join(b.folder, 'data'), { recursive: true });
  await chmod(join(b.folder, 'wallet.key'), 0o644);
  const { hint } = await failure(b, LOGIN.slice(1));
  assert.match(hint ?? '', /chmod 600 .*wallet\.key/);
});

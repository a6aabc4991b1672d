import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AppError } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { openWallet, type WalletInputs } from './wallet.ts';

/** Known to every developer of Ethereum programs: the first account of the mnemonic `test … junk`. */
const KEY = 'ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80';
const ADDRESS = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';

const NO_INPUTS: WalletInputs = {
  env: {},
  passphrase: () => assert.fail('nobody asks for a passphrase'),
};

async function file(t: TestContext, content: string, mode = 0o600): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hm-wallet-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'wallet');
  await writeFile(path, content);
  await chmod(path, mode);
  return path;
}

function failsWith(code: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof AppError, `${error}`);
    assert.equal(error.code, code, error.message);
    assert.ok(error.hint !== undefined);
    assert.ok(!`${error.message} ${error.hint}`.includes(KEY.slice(0, 8)), 'nothing of the key');
    return true;
  };
}

test('a key file holds 64 hex digits, with or without 0x, capitals and a line break', async (t) => {
  for (const text of [KEY, `0x${KEY}\n`, `${KEY.toUpperCase()}\r\n`]) {
    const path = await file(t, text);
    const wallet = await openWallet(nodeCrypto, { kind: 'file', path }, NO_INPUTS);
    assert.equal(wallet.address, ADDRESS);
  }
});

test('the environment is a place for a key as well', async () => {
  const env = { HELIXMESH_WALLET_KEY: KEY };
  const wallet = await openWallet(nodeCrypto, { kind: 'environment' }, { ...NO_INPUTS, env });
  assert.equal(wallet.address, ADDRESS);
  const absent = openWallet(nodeCrypto, { kind: 'environment' }, NO_INPUTS);
  await assert.rejects(absent, failsWith('INPUT_NOT_FOUND'));
});

test('a bare key that others may read is refused, with the command that mends it', async (t) => {
  const path = await file(t, KEY, 0o644);
  const opening = openWallet(nodeCrypto, { kind: 'file', path }, NO_INPUTS);
  await assert.rejects(opening, failsWith('KEY_NOT_HELD'));
  await assert.rejects(opening, { hint: `Keep it to yourself: chmod 600 ${path}` });
});

test('a file that is absent, too long or holds no key is refused', async (t) => {
  const order = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141';
  const contents = ['', 'abc', `${KEY}00`, '0'.repeat(64), order, 'x'.repeat(100_000)];
  for (const text of contents) {
    const path = await file(t, text);
    const opening = openWallet(nodeCrypto, { kind: 'file', path }, NO_INPUTS);
    await assert.rejects(opening, failsWith('INPUT_MALFORMED'));
  }
  const absent = openWallet(nodeCrypto, { kind: 'file', path: '/nowhere/key' }, NO_INPUTS);
  await assert.rejects(absent, failsWith('INPUT_NOT_FOUND'));
});

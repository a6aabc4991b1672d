/**
 * Sealed data from end to end: a vault, the custodian of its owner, and somebody else, each in a data
 * folder of their own, over real TLS; commands are killed in the middle.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  answerOf,
  failureOf,
  type NetworkNode,
  run,
  startNetworkNode,
} from '../support/network.ts';

/** Planted in name and content: neither may be found where it was sent to. */
const CANARY = 'canary-of-patient-zero';
const SIZE = 48 * 1024 * 1024;
/** The second group of 256 segments begins here: what lies before it has other keys. */
const GROUP_BYTES = 16 * 1024 * 1024;

let folder = '';
let content: Buffer = Buffer.alloc(0);
let vault: NetworkNode;
let custodian: NetworkNode;
let account = '';
let dataset = '';
const at = (name: string) => join(folder, name);
const alice = () => at('alice');
const bob = () => at('bob');
const source = () => at(`${CANARY}.vcf`);

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hm-network-'));
  content = randomBytes(SIZE);
  content.write(CANARY, 1_000_000);
  await writeFile(source(), content);
  for (const name of ['alice.key', 'bob.key']) {
    await writeFile(at(name), `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  }
  const local = ['--listen', '127.0.0.1:0'];
  const founding = [
    'init',
    '--role',
    'storage',
    '--network-name',
    'test',
    '--zone',
    'EU',
    ...local,
  ];
  await answerOf('helixmesh', founding, at('vault'));
  vault = await startNetworkNode(at('vault'));
  const genesis = ['--genesis', join(at('vault'), 'network.json')];
  await answerOf('helixmesh', ['init', '--role', 'custodian', ...genesis, ...local], alice());
  custodian = await startNetworkNode(alice());
  const endpoint = custodian.address.split('@')[1] ?? '';
  const wallet = ['login', '--key-file', at('alice.key'), '--custodian', endpoint];
  await answerOf('biofs', wallet, alice());
  const other = ['login', '--key-file', at('bob.key'), ...genesis];
  account = (await answerOf('biofs', other, bob())).account;
});

after(async () => {
  await Promise.all([vault?.stop(), custodian?.stop()]);
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

const put = () => [
  'put',
  source(),
  '--vault',
  vault.address,
  '--residency',
  'EU',
  '--region-grants',
];

test('a put that is killed while it seals and while it sends ends with one dataset, stored once', async () => {
  for (const killAt of [/sealing .* 2\d %/, /storing .* 2\d %/]) {
    await run('biofs', put(), { dataDir: alice(), killAt });
  }
  const [done] = await answerOf('biofs', put(), alice());
  const [again] = await answerOf('biofs', put(), alice());
  assert.equal(again.dataset, done.dataset);
  assert.deepEqual(again.uploads[0].status, 'known');
  const listed = await answerOf('biofs', ['ls'], alice());
  assert.equal(listed.length, 1, 'one dataset');
  assert.equal(listed[0].state, 'stored');
  assert.equal(listed[0].fileName, `${CANARY}.vcf`);
  assert.deepEqual(await readdir(join(alice(), 'spool')), [], 'the spool is empty');
  dataset = done.dataset;
});

test('its owner reads it, all of it and some bytes', async () => {
  const whole = await run('biofs', ['cat', dataset], { dataDir: alice() });
  assert.ok(whole.stdout.equals(content), whole.stderr);
  const part = ['cat', dataset, '--bytes', '999990-1000100'];
  const { stdout } = await run('biofs', part, { dataDir: alice() });
  assert.ok(stdout.equals(content.subarray(999_990, 1_000_100)));
});

test('a download that is killed goes on with what is there', async () => {
  const out = at('downloaded.vcf');
  const command = ['download', dataset, '--out', out];
  await run('biofs', command, { dataDir: alice(), killAt: / 5\d %/ });
  const { keptBytes, sizeBytes } = await answerOf('biofs', command, alice());
  assert.equal(sizeBytes, SIZE);
  assert.ok(keptBytes >= SIZE / 4, `${keptBytes} bytes stayed`);
  assert.ok((await readFile(out)).equals(content));
  assert.equal(await failureOf('biofs', command, alice()), 'OUTPUT_IN_USE');
});

test('the grantee reads what was granted, for what and where it was granted', async () => {
  const terms = ['--pipelines', 'germline,read', '--zones', 'EU'];
  const given = ['grant', dataset, '--to', account, ...terms, '--out', at('bob.grant')];
  await answerOf('biofs', given, alice());
  assert.equal(await failureOf('biofs', ['accept', at('bob.grant')], alice()), 'CONFLICT');
  assert.equal(await failureOf('biofs', ['cat', dataset, '--zone', 'EU'], bob()), 'NOT_FOUND');
  await answerOf('biofs', ['accept', at('bob.grant')], bob());
  const read = await run('biofs', ['cat', dataset, '--zone', 'EU'], { dataDir: bob() });
  assert.ok(read.stdout.equals(content), read.stderr);
  for (const other of [['--zone', 'US'], ['--zone', 'EU', '--pipeline', 'other'], []]) {
    assert.equal(await failureOf('biofs', ['cat', dataset, ...other], bob()), 'ACCESS_REFUSED');
  }
});

test('a revoked grant is refused by the custodian at once, and the log says so', async () => {
  const [{ grant }] = await answerOf('biofs', ['grants'], alice());
  await answerOf('biofs', ['revoke', grant], alice());
  assert.equal(await failureOf('biofs', ['cat', dataset, '--zone', 'EU'], bob()), 'ACCESS_REFUSED');
  const [latest, ...before] = await answerOf('biofs', ['access-log'], alice());
  assert.equal(latest.who, account);
  assert.deepEqual(latest.reasons, ['grant:revoked']);
  assert.ok(before.some(({ outcome }: { outcome: string }) => outcome === 'released'));
});

test('a grant of a region opens its bytes and no others', async () => {
  const [start, end] = [GROUP_BYTES + 70_000, GROUP_BYTES + 270_001];
  const part = ['--region', 'chr7:1-2000', '--bytes', `${start}-${end}`];
  const given = ['grant', dataset, '--to', account, ...part, '--out', at('part.grant')];
  await answerOf('biofs', given, alice());
  await answerOf('biofs', ['accept', at('part.grant')], bob());
  const read = await run('biofs', ['cat', dataset, '--zone', 'EU'], { dataDir: bob() });
  assert.ok(read.stdout.equals(content.subarray(start, end)), read.stderr);
  const beyond = ['cat', dataset, '--zone', 'EU', '--bytes', `${start - 1}-${end}`];
  assert.equal(await failureOf('biofs', beyond, bob()), 'ACCESS_REFUSED');
});

test('without the custodian nobody else reads, and is told that the owner is offline', async () => {
  await custodian.stop();
  assert.equal(
    await failureOf('biofs', ['cat', dataset, '--zone', 'EU'], bob()),
    'CUSTODIAN_OFFLINE',
  );
  const own = await run('biofs', ['cat', dataset], { dataDir: alice() });
  assert.ok(own.stdout.equals(content), 'the owner needs no custodian');
});

test('the vault and the logs hold neither the name of the file nor what is in it', async () => {
  assert.ok(!`${vault.said()}${custodian.said()}`.includes(CANARY));
  const held = await readdir(at('vault'), { recursive: true, withFileTypes: true });
  const files = held.filter((entry) => entry.isFile());
  assert.ok(files.length > SIZE / 2 ** 20, 'the blocks were looked at');
  for (const { parentPath, name } of files) {
    const bytes = await readFile(join(parentPath, name));
    assert.equal(bytes.indexOf(CANARY), -1, name);
  }
});

test('keys come back from a backup, and a shredded dataset does not', async () => {
  await writeFile(at('passphrase'), 'correct horse battery staple\n');
  const phrase = ['--passphrase-file', at('passphrase')];
  await answerOf('biofs', ['keys', 'backup', at('keys.backup'), ...phrase], alice());
  const again = at('again');
  const genesis = ['--genesis', join(at('vault'), 'network.json')];
  await answerOf('biofs', ['login', '--key-file', at('alice.key'), ...genesis], again);
  await answerOf('biofs', ['keys', 'restore', at('keys.backup'), ...phrase], again);
  const read = await run('biofs', ['cat', dataset], { dataDir: again });
  assert.ok(read.stdout.equals(content), read.stderr);
  assert.equal(await failureOf('biofs', ['rm', dataset], alice()), 'USAGE');
  const { vaults } = await answerOf('biofs', ['rm', dataset, '--shred'], alice());
  assert.equal(vaults[0].outcome, 'deleted');
  assert.equal(await failureOf('biofs', ['cat', dataset], alice()), 'KEY_NOT_HELD');
  await answerOf('biofs', ['keys', 'restore', at('keys.backup'), ...phrase], alice());
  assert.equal(await failureOf('biofs', ['cat', dataset], alice()), 'KEY_NOT_HELD');
  assert.equal(await failureOf('biofs', ['cat', dataset], again), 'OBJECT_NOT_FOUND');
});

test('after logging out nothing goes', async () => {
  await answerOf('biofs', ['logout'], alice());
  assert.equal(await failureOf('biofs', ['ls'], alice()), 'UNAUTHENTICATED');
});

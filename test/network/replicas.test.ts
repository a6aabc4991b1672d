/**
 * Copies of sealed data between vaults that are processes of their own, over real TLS: a vault is
 * killed while it fetches, another one's disk is full, and one is where no copy may lie.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import {
  answerOf,
  failureOf,
  type NetworkNode,
  run,
  startNetworkNode,
} from '../support/network.ts';

const SIZE = 48 * 1024 * 1024;

let folder = '';
let content: Buffer = Buffer.alloc(0);
let dataset = '';
const nodes = new Map<string, NetworkNode>();
const at = (name: string) => join(folder, name);
const alice = () => at('alice');
const genesis = () => ['--genesis', join(at('one'), 'network.json')];
const addressOf = (name: string) => nodes.get(name)?.address ?? assert.fail(name);

async function start(name: string, ...options: readonly string[]): Promise<void> {
  const listen = ['--listen', `127.0.0.1:${await freePort()}`];
  await answerOf('helixmesh', ['init', ...options, ...listen], at(name));
  nodes.set(name, await startNetworkNode(at(name)));
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hm-replicas-'));
  content = randomBytes(SIZE);
  await writeFile(at('reads.vcf'), content);
  await writeFile(at('alice.key'), `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  await start('one', '--role', 'storage', '--network-name', 'test', '--zone', 'EU');
  await start('two', '--role', 'storage', '--zone', 'EU', ...genesis());
  await start('alice', '--role', 'custodian', ...genesis());
  const endpoint = addressOf('alice').split('@')[1] ?? '';
  const wallet = ['login', '--key-file', at('alice.key'), '--custodian', endpoint];
  await answerOf('biofs', wallet, alice());
  const [done] = await answerOf('biofs', put('reads.vcf', 'one'), alice());
  dataset = done.dataset;
});

after(async () => {
  await Promise.all([...nodes.values()].map((node) => node.stop()));
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

const put = (file: string, vault: string, ...options: readonly string[]) => [
  'put',
  at(file),
  '--vault',
  addressOf(vault),
  ...options,
];
const replicate = (of: string, vault: string) => ['replicate', of, '--vault', addressOf(vault)];

async function replicasOf(of: string): Promise<Record<string, string>> {
  const { copies } = await answerOf('biofs', ['replicas', of], alice());
  const names = [...nodes].map(([name, { address }]) => [address, name] as const);
  return Object.fromEntries(
    copies.map((copy: { vault: string; state: string }) => [
      new Map(names).get(copy.vault) ?? copy.vault,
      copy.state,
    ]),
  );
}

test('a vault that is killed while it fetches a copy goes on when it is back', async () => {
  let restarted: Promise<NetworkNode> | undefined;
  const restart = async () => {
    await nodes.get('two')?.kill();
    return await startNetworkNode(at('two'));
  };
  const onSaid = (said: string) => {
    if (/copying .* [2-9]\d %/.test(said)) restarted ??= restart();
  };
  const first = await run('biofs', replicate(dataset, 'two'), { dataDir: alice(), onSaid });
  if (restarted !== undefined) nodes.set('two', await restarted);
  if (first.code !== 0) await answerOf('biofs', replicate(dataset, 'two'), alice());
  assert.deepEqual(await replicasOf(dataset), { one: 'stored', two: 'stored' });
});

test('the copy is read when the first vault is gone, and what is gone is said', async () => {
  await nodes.get('one')?.kill();
  const { stdout, stderr } = await run('biofs', ['cat', dataset], { dataDir: alice() });
  assert.ok(stdout.equals(content), stderr);
  assert.deepEqual(await replicasOf(dataset), { one: 'unreachable', two: 'stored' });
  nodes.set('one', await startNetworkNode(at('one')));
});

test('a copy that is bound to a zone goes where an operator has signed that it may, and not before', async () => {
  await writeFile(at('bound.vcf'), randomBytes(100_000));
  const [done] = await answerOf('biofs', put('bound.vcf', 'one', '--residency', 'EU'), alice());
  const refused = await failureOf('biofs', replicate(done.dataset, 'two'), alice());
  assert.equal(refused, 'ACCESS_REFUSED');
  assert.deepEqual(await replicasOf(done.dataset), { one: 'stored' });
  await writeFile(at('operator.key'), `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  const [nodeId = ''] = addressOf('two').split('@');
  const vouch = [
    'node',
    'vouch',
    nodeId,
    '--zones',
    'EU',
    '--operator-key-file',
    at('operator.key'),
  ];
  const { stdout, stderr } = await run('helixmesh', vouch, { dataDir: at('one') });
  await writeFile(join(at('two'), 'node.statement'), stdout);
  await answerOf('biofs', replicate(done.dataset, 'two'), alice());
  assert.deepEqual(await replicasOf(done.dataset), { one: 'stored', two: 'stored' }, stderr);
});

test('a vault whose disk is full says so, loses nothing, and goes on when there is room', async (t) => {
  if (!mayMount()) return t.skip('SKIPPED: mounting a small tmpfs needs root');
  await mkdir(at('small'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=80m,mode=0700', 'tmpfs', at('small')]);
  t.after(() => execFileSync('umount', ['--lazy', at('small')]));
  await start('small', '--role', 'storage', ...genesis());
  t.after(async () => {
    await nodes.get('small')?.stop();
    nodes.delete('small');
  });
  await writeFile(at('little.vcf'), 'a small file');
  const [little] = await answerOf('biofs', put('little.vcf', 'small'), alice());
  await writeFile(at('large.vcf'), randomBytes(SIZE));
  assert.equal(await failureOf('biofs', put('large.vcf', 'small'), alice()), 'DISK_FULL');
  assert.equal(await failureOf('biofs', replicate(dataset, 'small'), alice()), 'DISK_FULL');
  const { stdout } = await run('biofs', ['cat', little.dataset], { dataDir: alice() });
  assert.equal(stdout.toString('utf8'), 'a small file');
  execFileSync('mount', ['-o', 'remount,size=256m', at('small')]);
  const [large] = await answerOf('biofs', put('large.vcf', 'small'), alice());
  const { sentBytes } = large.uploads[0];
  assert.ok(sentBytes < SIZE - 8 * 1024 * 1024, `${sentBytes} bytes were sent again`);
  await answerOf('biofs', replicate(dataset, 'small'), alice());
  assert.deepEqual(await replicasOf(dataset), { one: 'stored', two: 'stored', small: 'stored' });
});

function mayMount(): boolean {
  const { status } = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']);
  return status === 0;
}

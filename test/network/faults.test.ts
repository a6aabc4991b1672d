/**
 * Keeping and reading sealed data while nodes are killed, the ways between them fail, the custodian is
 * away and a disk is full. Each node is a process, each way goes through a proxy.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { nodePaths } from '@helixmesh/daemon/data-folder';
import { STEP_DEADLINE_MS } from '../support/limits.ts';
import { answerOf, failureOf, run } from '../support/network.ts';
import { searchPlaintext, searchTraffic, sendControl } from '../support/plaintext-search.ts';
import { formsOf } from '../support/planted-text.ts';
import {
  makeProxiedNetwork,
  type ProxiedNetwork,
  type ProxiedNode,
} from '../support/proxied-network.ts';
import { waitFor } from '../support/wait-for.ts';

const CANARY = 'canary-of-patient-one';
const SIZE = 24 * 1024 * 1024;
/** Slow enough that something can happen on the way. */
const SLOW_BYTES_PER_SECOND = 8 * 1024 * 1024;
const TOO_SMALL_MIB = 16;

let network: ProxiedNetwork;
let [vault, custodian, coordinator]: ProxiedNode[] = [];
let content: Buffer;
let dataset = '';
let account = '';
const at = (name: string) => join(network.folder, name);
const source = () => at(`${CANARY}.vcf`);
const part = <T>(node: T | undefined): T => node ?? assert.fail('not started');
const owner = () => part(custodian).dataDir;
const bob = () => at('bob');

before(async () => {
  network = await makeProxiedNetwork(['--nodes', '3', '--vaults', '2']);
  [vault, custodian, coordinator] = ['vault-1', 'owner', 'coordinator'].map(network.node);
  content = randomBytes(SIZE);
  content.write(CANARY, 1_000_000);
  await writeFile(source(), content);
  await writeFile(at('bob.key'), `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  await Promise.all([coordinator, vault, custodian].map((node) => part(node).start()));
  const { keyFile, proxy } = part(custodian);
  const login = ['login', '--key-file', keyFile, '--custodian', proxy.endpoint];
  await answerOf('biofs', login, owner());
  const genesis = ['--genesis', join(part(coordinator).dataDir, 'network.json')];
  const other = ['login', '--key-file', at('bob.key'), ...genesis];
  account = (await answerOf('biofs', other, bob())).account;
});

after(() => network?.stop());

/** Waits until so many bytes more have passed the proxy. */
async function passed(node: ProxiedNode, bytes: number): Promise<void> {
  const before = node.proxy.seen.bytes;
  await waitFor(() => (node.proxy.seen.bytes >= before + bytes ? true : undefined), {
    deadline: STEP_DEADLINE_MS,
    what: `${bytes} bytes have passed the proxy of ${node.name}`,
  });
}

test('a file is stored once, and whole, by a vault that is killed while it takes it', async () => {
  const node = part(vault);
  const put = ['put', source(), '--vault', node.address];
  node.proxy.set({ bytesPerSecond: SLOW_BYTES_PER_SECOND });
  const failing = failureOf('biofs', put, owner());
  await passed(node, SIZE / 4);
  await node.kill();
  assert.equal(await failing, 'PEER_UNREACHABLE');
  await node.start();
  node.proxy.set({ bytesPerSecond: null });
  const [done] = await answerOf('biofs', put, owner());
  assert.equal(done.uploads[0].status, 'stored');
  const listed = await answerOf('biofs', ['ls'], owner());
  assert.deepEqual(
    listed.map(({ state }: { state: string }) => state),
    ['stored'],
  );
  dataset = done.dataset;
});

test('a download outlives lost connections and a silence, and goes on after the death of its vault', async () => {
  const node = part(vault);
  const out = at('downloaded.vcf');
  const download = ['download', dataset, '--out', out];
  node.proxy.set({ bytesPerSecond: SLOW_BYTES_PER_SECOND / 4, delayMs: 20 });
  const going = run('biofs', download, { dataDir: owner() });
  await passed(node, SIZE / 8);
  node.proxy.cut();
  await passed(node, SIZE / 8);
  node.proxy.set({ isParted: true });
  await delay(2_000);
  node.proxy.set({ isParted: false });
  await passed(node, SIZE / 8);
  await node.kill();
  const { code } = await going;
  await node.start();
  node.proxy.set({ bytesPerSecond: null, delayMs: 0 });
  assert.notEqual(code, 0, 'the vault was away for longer than a download waits');
  const { keptBytes } = await answerOf('biofs', download, owner());
  assert.ok(keptBytes >= SIZE / 8, `${keptBytes} bytes stayed`);
  assert.ok((await readFile(out)).equals(content));
});

test('a custodian that is killed is told as offline, and releases again when it is back', async () => {
  const node = part(custodian);
  const given = ['grant', dataset, '--to', account, '--out', at('bob.grant')];
  await answerOf('biofs', given, owner());
  await answerOf('biofs', ['accept', at('bob.grant')], bob());
  await node.kill();
  assert.equal(await failureOf('biofs', ['cat', dataset], bob()), 'CUSTODIAN_OFFLINE');
  await node.start();
  for (const each of [node, part(vault)]) each.proxy.set({ delayMs: 100 });
  const read = await run('biofs', ['cat', dataset], { dataDir: bob() });
  for (const each of [node, part(vault)]) each.proxy.set({ delayMs: 0 });
  assert.ok(read.stdout.equals(content), read.stderr);
});

test('without the coordinator data is stored and read; back again it knows its nodes', async () => {
  const node = part(coordinator);
  await waitFor(async () => ((await namesOf()).includes('online') ? true : undefined), {
    deadline: STEP_DEADLINE_MS,
    what: 'the vault has registered',
  });
  await node.kill();
  assert.equal(await failureOf('helixmesh', ['node', 'list'], node.dataDir), 'PEER_UNREACHABLE');
  const read = await run('biofs', ['cat', dataset], { dataDir: bob() });
  assert.ok(read.stdout.equals(content), read.stderr);
  await node.start();
  assert.ok((await namesOf()).includes('online'), 'it knows the vault');
});

async function namesOf(): Promise<string[]> {
  const { dataDir, address } = part(coordinator);
  const nodes = await answerOf('helixmesh', ['node', 'list', '--coordinator', address], dataDir);
  return nodes.map(({ liveness }: { liveness: string }) => liveness);
}

test('a revocation holds though the custodian dies right after it and the vault was away', async () => {
  await part(vault).kill();
  const [{ grant }] = await answerOf('biofs', ['grants'], owner());
  await answerOf('biofs', ['revoke', grant], owner());
  await part(custodian).kill();
  await Promise.all([part(vault).start(), part(custodian).start()]);
  assert.equal(await failureOf('biofs', ['cat', dataset], bob()), 'ACCESS_REFUSED');
  const own = await run('biofs', ['cat', dataset], { dataDir: owner() });
  assert.ok(own.stdout.equals(content), own.stderr);
});

test('a vault whose disk is full says so, keeps what it has, and goes on when there is room', async (t) => {
  if (!mayMount()) return t.skip('SKIPPED: mounting a small disk needs root');
  const full = network.node('vault-2');
  const { vaultRoot } = nodePaths(full.dataDir);
  await mkdir(vaultRoot, { recursive: true, mode: 0o700 });
  mount(['-t', 'tmpfs', '-o', `size=${TOO_SMALL_MIB}m`, 'tmpfs', vaultRoot]);
  t.after(async () => {
    await full.stop();
    execFileSync('umount', ['-l', vaultRoot]);
  });
  await full.start();
  const [small, large] = [at('small.vcf'), at('large.vcf')];
  const other = randomBytes(SIZE);
  await writeFile(small, content.subarray(0, 1_000_000));
  await writeFile(large, other);
  const [kept] = await answerOf('biofs', ['put', small, '--vault', full.address], owner());
  const put = ['put', large, '--vault', full.address];
  assert.equal(await failureOf('biofs', put, owner()), 'DISK_FULL');
  const read = await run('biofs', ['cat', kept.dataset], { dataDir: owner() });
  assert.ok(read.stdout.equals(content.subarray(0, 1_000_000)), read.stderr);
  mount(['-o', `remount,size=${8 * TOO_SMALL_MIB}m`, vaultRoot]);
  const [done] = await answerOf('biofs', put, owner());
  const whole = await run('biofs', ['cat', done.dataset], { dataDir: owner() });
  assert.ok(whole.stdout.equals(other), whole.stderr);
});

function mayMount(): boolean {
  return spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;
}

function mount(args: readonly string[]): void {
  execFileSync('mount', args);
}

test('neither the nodes, nor their logs, nor what went between them holds the file or its name', async () => {
  await sendControl(part(vault));
  const isOfNode = (path: string) => !path.endsWith('.vcf') && !path.endsWith('.partial');
  const needles = formsOf('a name', CANARY);
  const left = await searchPlaintext(network.traces(isOfNode), needles);
  const traffic = await searchTraffic(network, { needles, to: 'vault-1' });
  assert.deepEqual([...left.found, ...traffic.found], []);
  assert.ok(left.bytes > SIZE && traffic.bytes > 2 * SIZE, `${left.bytes}, ${traffic.bytes} bytes`);
});

/** A network on this machine, made and run by the command line. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Bench, makeBench, runCli, startCli } from '../testing/cli.ts';
import { planLayout } from './layout.ts';

const LONG = { timeout: 240_000 };
const LOOK_MS = 50;
const SMALLEST = ['--nodes', '2', '--port', '0'];

function devnet(bench: Bench, options: readonly string[]): string[] {
  return ['--data', join(bench.folder, 'net'), '--json', 'devnet', ...options];
}

test('a layout names each node once, gives each a port, and spreads them over zones', async () => {
  const { nodes } = await planLayout({ nodes: 6, vaults: 2, port: 7400 });
  assert.deepEqual(
    nodes.map(({ name, role, port, zone }) => `${name} ${role} ${port} ${zone ?? '-'}`),
    [
      'coordinator coordinator 7400 -',
      'vault-1 storage 7401 MX',
      'vault-2 storage 7402 US-CA',
      'compute-1 compute 7403 MX',
      'compute-2 compute 7404 US-CA',
      'compute-3 compute 7405 EU',
      'owner custodian 7406 -',
    ],
  );
  const free = await planLayout({ nodes: 4, vaults: 1, port: 0 });
  assert.equal(new Set(free.nodes.map(({ port }) => port)).size, 5);
  for (const wrong of [{ nodes: 1 }, { nodes: 33 }, { vaults: 4 }, { vaults: 0 }, { nodes: 3.5 }]) {
    await assert.rejects(planLayout({ nodes: 4, vaults: 1, port: 0, ...wrong }), { code: 'USAGE' });
  }
  await assert.rejects(planLayout({ nodes: 4, vaults: 1, port: 65_534 }), { code: 'USAGE' });
});

test('the folders are made once: the same command changes nothing, another size is refused', async (t) => {
  const bench = await makeBench(t);
  const make = devnet(bench, ['--port', '0', '--no-start']);
  const first = await runCli(bench, make);
  assert.equal(first.code, 0, first.stdout);
  const { nodes } = JSON.parse(first.stdout);
  assert.equal(new Set(nodes.map(({ account }: { account: string }) => account)).size, 5);
  const before = contents(join(bench.folder, 'net'));
  const again = await runCli(bench, make);
  assert.deepEqual([again.code, again.stdout], [0, first.stdout]);
  assert.deepEqual(contents(join(bench.folder, 'net')), before);
  const other = await runCli(bench, [...make, '--nodes', '3']);
  assert.equal(JSON.parse(other.stdout).error.code, 'CONFLICT');
});

test(
  'a node that dies is named, the others go on, and all end with the command',
  LONG,
  async (t) => {
    const bench = await makeBench(t);
    const { child, up, said } = await startDevnet(t, bench);
    assert.deepEqual(
      up.processes.map(({ name }: { name: string }) => name),
      ['coordinator', 'vault', 'owner'],
    );
    const [coordinator, vault, owner] = up.processes;
    process.kill(vault.pid, 'SIGKILL');
    await until(() => /^vault has ended \(SIGKILL\)\. Start it again: /m.test(said()));
    assert.deepEqual([isAlive(coordinator.pid), isAlive(owner.pid)], [true, true]);
    const closed = once(child, 'close');
    child.kill('SIGINT');
    assert.deepEqual(await closed, [0, null], said());
    assert.deepEqual([isAlive(coordinator.pid), isAlive(owner.pid)], [false, false]);
  },
);

test('nodes end with a command that was killed', LONG, async (t) => {
  const bench = await makeBench(t);
  const { child, up } = await startDevnet(t, bench);
  child.kill('SIGKILL');
  await until(() => up.processes.every(({ pid }: { pid: number }) => !isAlive(pid)));
});

async function startDevnet(t: TestContext, bench: Bench) {
  const child = startCli(bench, devnet(bench, SMALLEST));
  t.after(() => child.kill('SIGKILL'));
  let [answered, said] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    answered += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await until(() => {
    assert.equal(child.exitCode, null, `${answered}${said}`);
    return answered.endsWith('}\n');
  });
  return { child, up: JSON.parse(answered), said: () => said };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await delay(LOOK_MS);
}

/** No zombie counts: what was killed and is not awaited by its parent. */
function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
  } catch {
    return false;
  }
}

function contents(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(files.map((path) => [path, readFileSync(path, 'hex')]));
}

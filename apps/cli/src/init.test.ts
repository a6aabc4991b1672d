/** From an empty folder to a node that others reach, as its operator does it. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Bench, makeBench, runCli, startDaemon } from './testing/cli.ts';
import { freePort } from './testing/free-port.ts';

const FOUND = '--data a init --role custodian --network-name test --listen 127.0.0.1:0';

function run(bench: Bench, line: string) {
  return runCli(bench, line.split(' '));
}

async function founded(t: TestContext): Promise<Bench> {
  const bench = await makeBench(t);
  const { code, stdout, stderr } = await run(bench, FOUND);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /Founded the network test/);
  assert.match(
    stdout,
    /Next:[\s\S]*node\.key[\s\S]*helixmesh --data \S+ up[\s\S]*--genesis \S+json/,
  );
  return bench;
}

test('init founds a network, another folder joins it, and no secret is shown', async (t) => {
  const bench = await founded(t);
  const line = '--json --data b init --role custodian --genesis a/network.json';
  const { code, stdout, stderr } = await run(bench, line);
  assert.equal(code, 0, stderr);
  const made = JSON.parse(stdout);
  assert.equal(made.isFounded, false);
  assert.match(made.address, /^node_[0-9a-f]{64}@127\.0\.0\.1:7400$/);
  const shown = await run(bench, '--data b config print');
  for (const name of ['node.key', 'encryption.key']) {
    const key = readFileSync(join(bench.folder, 'b', 'identity', name), 'utf8').trim();
    assert.ok(!`${stdout}${stderr}${shown.stdout}`.includes(key), name);
  }
});

test('config print says that a value comes from the file which init has written', async (t) => {
  const bench = await founded(t);
  const { stdout } = await run(bench, '--json --data a config print');
  const settings = JSON.parse(stdout) as { key: string; value: unknown; origin: string }[];
  const of = (key: string) => settings.find((setting) => setting.key === key);
  assert.deepEqual(of('roles')?.value, ['custodian']);
  assert.match(of('roles')?.origin ?? '', /^file .*node\.toml$/);
  assert.equal(of('ownerBytes')?.origin, 'default');
});

test('a second init is refused, and so is one that says too little or too much', async (t) => {
  const bench = await founded(t);
  const settings = readFileSync(join(bench.folder, 'a', 'node.toml'), 'utf8');
  const second = await run(bench, FOUND.replace('custodian', 'storage'));
  assert.equal(second.code, 65, second.stderr);
  assert.match(second.stderr, /is there already\n {2}→ .*Nothing was written/);
  assert.equal(readFileSync(join(bench.folder, 'a', 'node.toml'), 'utf8'), settings);
  const wrong = {
    '--data c init --role custodian': 64,
    '--data c init --network-name test --genesis a/network.json': 64,
    '--data c init --role custodan --network-name test': 78,
    '--data c init --role custodian --network-name test --listen 192.168.7.7:7400': 78,
  };
  for (const [line, expected] of Object.entries(wrong)) {
    const { code, stderr } = await run(bench, line);
    assert.equal(code, expected, `${line}\n${stderr}`);
    assert.ok(!existsSync(join(bench.folder, 'c')), line);
  }
});

test('cleanup of everything keeps the keys, the network and the settings', async (t) => {
  const bench = await founded(t);
  for (const made of ['store', 'compute/cache']) {
    await mkdir(join(bench.folder, 'a', made), { recursive: true });
  }
  const { code, stderr } = await run(bench, '--data a cleanup --all');
  assert.equal(code, 0, stderr);
  for (const name of [
    'identity/node.key',
    'identity/encryption.key',
    'network.json',
    'node.toml',
  ]) {
    assert.ok(existsSync(join(bench.folder, 'a', name)), name);
  }
  for (const made of ['store', 'compute/cache']) {
    assert.ok(!existsSync(join(bench.folder, 'a', made)), made);
  }
});

test('up serves the folder that init has made, says its address, and ends on SIGTERM', async (t) => {
  const bench = await founded(t);
  const stop = await startDaemon(t, bench, ['--data', 'a', 'up']);
  await stop();
  const log = readFileSync(join(bench.folder, 'a', 'node.log'), 'utf8');
  assert.match(log, /"roles":\["custodian"\],"msg":"node starting"/);
  assert.match(log, /"msg":"node stopped"/);
  assert.ok(!existsSync(join(bench.folder, 'a', 'node.lock.holder')));
});

test('with the address of a seed a folder joins its network, and no other', async (t) => {
  const bench = await makeBench(t);
  const line = '--json --data s init --role coordinator --role seed --network-name sown --listen';
  const port = await freePort();
  const founding = await run(bench, `${line} 127.0.0.1:${port}`);
  assert.equal(founding.code, 0, founding.stderr);
  const seed = JSON.parse(founding.stdout);
  await startDaemon(t, bench, ['--data', 's', 'up']);
  const joined = await run(bench, `--json --data p init --genesis ${seed.address}`);
  assert.equal(joined.code, 0, joined.stderr);
  const made = JSON.parse(joined.stdout);
  assert.deepEqual([made.network, made.networkName], [seed.network, 'sown']);
  const { stdout } = await run(bench, '--json --data p config print');
  const settings = JSON.parse(stdout) as { key: string; value: unknown }[];
  assert.equal(settings.find(({ key }) => key === 'coordinator')?.value, seed.address);
  const other = `sha256:${'0'.repeat(64)}`;
  const refused = await run(bench, `--data q init --genesis ${seed.address} --network ${other}`);
  assert.equal(refused.code, 77, refused.stderr);
  assert.ok(!existsSync(join(bench.folder, 'q')));
});

test('a seed that knows no coordinator is refused before it starts', async (t) => {
  const bench = await makeBench(t);
  const { code, stderr } = await run(bench, '--data s init --role seed --network-name sown');
  assert.equal(code, 78);
  assert.match(stderr, /a seed tells of the nodes of a coordinator/);
});

/** The files of deploy/ are settings that nodes start with, and its document tells how. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadConfig } from '@helixmesh/daemon/data-folder';
import { answerOf } from '../support/network.ts';

const DEPLOY = join(import.meta.dirname, '..', '..', 'deploy');
const LAYOUTS = {
  'four-nodes': ['compute', 'compute', 'coordinator', 'storage'],
  'mexico-california-europe': [
    'coordinator',
    'storage+compute',
    'storage+compute',
    'storage+compute',
  ],
} as const;
const OPERATORS = ['aa', 'bb', 'cc'].map((byte) => `0x${byte.repeat(20)}`);

async function settingsOf(layout: string) {
  const names = (await readdir(join(DEPLOY, layout))).sort();
  assert.ok(names.every((name) => name.endsWith('.toml')));
  return names.map((name) => {
    const file = join(DEPLOY, layout, name);
    return { file, ...loadConfig({ file, env: {}, flags: {} }).config };
  });
}

for (const [layout, roles] of Object.entries(LAYOUTS)) {
  test(`every file of ${layout} loads, and together they are a network`, async () => {
    const nodes = await settingsOf(layout);
    assert.deepEqual(nodes.map((node) => node.roles.join('+')).sort(), roles);
    assert.equal(new Set(nodes.map(({ endpoint }) => endpoint)).size, nodes.length);
    const others = nodes.filter((node) => !node.roles.includes('coordinator'));
    assert.ok(others.every(({ zone }) => zone !== null));
    assert.ok(nodes.every(({ listenPublic, endpoint }) => listenPublic && endpoint !== null));
  });

  test(`the machines of ${layout} are set up as its document says`, async (t) => {
    const folder = await temporary(t);
    const nodes = await settingsOf(layout);
    const [founder = assert.fail()] = nodes.filter(({ roles }) => roles.includes('coordinator'));
    const attest = OPERATORS.slice(1).flatMap((wallet) => ['--attest', wallet]);
    const founding = ['--network-name', 'lab', '--operator', OPERATORS[0] ?? '', ...attest];
    const made = await init(join(folder, 'founder'), founder.file, founding);
    assert.equal(made.isFounded, true);
    const genesis = JSON.parse(await readFile(made.networkFile, 'utf8'));
    assert.deepEqual(genesis.attestedOperators, OPERATORS);
    for (const [i, { file }] of nodes.filter((node) => node !== founder).entries()) {
      const operator = ['--operator', OPERATORS[i % OPERATORS.length] ?? ''];
      const joining = ['--genesis', made.networkFile, '--coordinator', made.address, ...operator];
      const joined = await init(join(folder, String(i)), file, joining);
      const { config } = loadConfig({ file: joined.configFile, env: {}, flags: {} });
      assert.equal(config.coordinator, made.address);
      assert.equal(joined.network, made.network);
    }
  });
}

function init(dataDir: string, file: string, options: readonly string[]) {
  return answerOf('helixmesh', ['--config', file, 'init', ...options], dataDir);
}

test('its document names every file and folder', async () => {
  const readme = await readFile(join(DEPLOY, 'README.md'), 'utf8');
  const named = await readdir(DEPLOY);
  assert.ok(named.length >= 4);
  for (const name of named) assert.ok(readme.includes(name) || name === 'README.md', name);
});

async function temporary(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hm-deploy-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

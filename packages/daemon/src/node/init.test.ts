import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseGenesis } from '@helixmesh/protocol/sealing';
import { parse } from 'smol-toml';
import { loadIdentity } from '../network/identity.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { CONFIG_FILE, loadConfig } from './config.ts';
import { configFile } from './config-file.ts';
import { type InitOptions, initNode } from './init.ts';
import { readNetworkFile } from './network-file.ts';
import { CONFIG_KEYS, SETTINGS } from './settings.ts';

const root = temporaryFolder('init');
const OPERATOR = `0x${'ab'.repeat(20)}`;
const STORAGE = { roles: ['storage'], listen: '127.0.0.1:7401' };
let folders = 0;

function init(change: Partial<InitOptions> = {}) {
  const dataDir = change.dataDir ?? join(root, String(folders++));
  const network = { name: 'test' };
  return initNode({ dataDir, network, settings: STORAGE, nowMs: 1_000, ...change });
}

/** All files of a folder with their bytes. */
function contents(folder: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(paths.map((path) => [path, readFileSync(path, 'hex')]));
}

test('a founded folder has an identity, a genesis document and settings that load', async () => {
  const made = await init({ settings: { ...STORAGE, operator: OPERATOR, zone: 'EU' } });
  const identity = await loadIdentity(made.dataDir);
  assert.equal(made.nodeId, identity.nodeId);
  assert.equal(made.address, `${identity.nodeId}@127.0.0.1:7401`);
  const genesis = parseGenesis(readFileSync(made.networkFile));
  assert.deepEqual(genesis.coordinators, []);
  assert.deepEqual(genesis.attestedOperators, [OPERATOR]);
  assert.equal((await readNetworkFile(made.networkFile)).id, made.network);
  const { config, origins } = loadConfig({ env: {}, flags: { dataDir: made.dataDir } });
  assert.deepEqual(config.roles, ['storage']);
  assert.equal(config.zone, 'EU');
  assert.equal(origins.zone, `file ${made.configFile}`);
  assert.equal(origins.ownerBytes, 'default');
  assert.equal(statSync(made.configFile).mode & 0o777, 0o600);
  assert.equal(statSync(made.keyFile).mode & 0o777, 0o600);
});

test('a coordinator founds a network that names it; no other folder can join as one', async () => {
  const settings = { roles: ['coordinator'], listen: '127.0.0.1:7401' };
  const made = await init({ settings });
  const { genesis } = await readNetworkFile(made.networkFile);
  assert.deepEqual(genesis.coordinators, [made.nodeId]);
  const dataDir = join(root, 'second coordinator');
  const network = { genesisFile: made.networkFile };
  await assert.rejects(init({ dataDir, network, settings }), { code: 'CONFIG_INVALID' });
  assert.throws(() => statSync(dataDir), { code: 'ENOENT' });
});

test('who joins belongs to the same network; a person needs no role and no port', async () => {
  const founded = await init();
  const joined = await init({
    network: { genesisFile: founded.networkFile },
    settings: { roles: [] },
  });
  assert.equal(joined.network, founded.network);
  assert.notEqual(joined.nodeId, founded.nodeId);
  assert.equal(joined.address, null);
  assert.deepEqual(readFileSync(joined.networkFile), readFileSync(founded.networkFile));
});

test('a founder says whose statements of a zone count; what is no wallet is refused', async () => {
  const others = [`0x${'cd'.repeat(20)}`, `0x${'01'.repeat(20)}`];
  const settings = { ...STORAGE, operator: OPERATOR };
  const made = await init({ network: { name: 'test', attestedOperators: others }, settings });
  const { genesis } = await readNetworkFile(made.networkFile);
  assert.deepEqual(genesis.attestedOperators, [others[1], OPERATOR, others[0]]);
  const dataDir = join(root, 'bad wallets');
  for (const wrong of ['0xAB', `0x${'AB'.repeat(20)}`]) {
    const network = { name: 'test', attestedOperators: [wrong] };
    await assert.rejects(init({ dataDir, network }), { code: 'USAGE' });
  }
  assert.throws(() => statSync(dataDir), { code: 'ENOENT' });
});

test('settings of a prepared file are taken over, and those given win', async () => {
  const settingsFile = join(root, 'prepared.toml');
  writeFileSync(
    settingsFile,
    '[node]\nroles = ["storage"]\nlisten = "127.0.0.1:7401"\nzone = "MX"\n[limits]\nowner_objects = 7\n',
  );
  const { configFile: written } = await init({ settings: { zone: 'EU' }, settingsFile });
  const { config, origins } = loadConfig({ file: written, env: {}, flags: {} });
  const { roles, listen, zone, ownerObjects } = config;
  assert.deepEqual([roles, listen, zone, ownerObjects], [['storage'], '127.0.0.1:7401', 'EU', 7]);
  assert.equal(origins.cores, 'default');
});

test('nothing is written over: a second init is refused and changes no byte', async () => {
  const made = await init();
  const before = contents(made.dataDir);
  const { dataDir } = made;
  const other = await init();
  const again: Partial<InitOptions>[] = [
    { dataDir },
    { dataDir, network: { name: 'other' } },
    { dataDir, network: { genesisFile: made.networkFile } },
    { dataDir, network: { genesisFile: other.networkFile } },
  ];
  for (const change of again) {
    await assert.rejects(init(change), (error: { code?: string; hint?: string }) => {
      assert.equal(error.code, 'CONFLICT');
      assert.match(error.hint ?? '', /Nothing was written/);
      return true;
    });
  }
  assert.deepEqual(contents(dataDir), before);
});

test('an init that was cut off goes on with the identity that is there', async () => {
  const made = await init();
  const { dataDir, nodeId } = made;
  rmSync(join(dataDir, CONFIG_FILE));
  await assert.rejects(init({ dataDir }), { code: 'CONFLICT' });
  const again = await init({ dataDir, network: { genesisFile: made.networkFile } });
  assert.equal(again.nodeId, nodeId);
  rmSync(join(dataDir, CONFIG_FILE));
  rmSync(made.networkFile);
  assert.equal((await init({ dataDir })).nodeId, nodeId);
});

test('what is wrong is told before anything is written', async () => {
  const dataDir = join(root, 'wrong');
  const bad = join(root, 'bad.json');
  writeFileSync(bad, '{"type":"helixmesh/genesis/v1"}');
  const wrong: Partial<InitOptions>[] = [
    { settings: { roles: ['storag'], listen: '127.0.0.1:1' } },
    { settings: { roles: ['storage'], listen: '192.168.0.9:7400' } },
    { settings: { roles: ['storage'] } },
    { network: { name: 'Not A Name' } },
    { network: { genesisFile: bad } },
    { network: { genesisFile: join(root, 'absent.json') } },
  ];
  for (const change of wrong) await assert.rejects(init({ dataDir, ...change }));
  assert.throws(() => statSync(dataDir), { code: 'ENOENT' });
});

test('an existing folder of a local node keeps what is in it', async () => {
  const dataDir = join(root, 'local');
  mkdirSync(join(dataDir, 'store'), { recursive: true });
  writeFileSync(join(dataDir, 'store', 'kept'), 'x');
  await init({ dataDir });
  assert.equal(readFileSync(join(dataDir, 'store', 'kept'), 'utf8'), 'x');
});

test('the file holds every setting: chosen ones set, others as comments that would load', () => {
  const text = configFile({ roles: ['storage'], listen: '127.0.0.1:7401' });
  const lines = text.split('\n');
  for (const key of CONFIG_KEYS) {
    if (key === 'dataDir') continue;
    const [, name] = SETTINGS[key].at;
    const isChosen = key === 'roles' || key === 'listen';
    const line = lines.find((each) => each.replace(/^# /, '').startsWith(`${name} =`));
    assert.equal(line?.startsWith('#'), !isChosen, name);
  }
  assert.deepEqual(
    { ...(parse(text)['node'] as object) },
    { roles: ['storage'], listen: '127.0.0.1:7401' },
  );
  const all = join(root, 'all.toml');
  writeFileSync(all, text.replace(/^# (?=[a-z_]+ = )/gm, ''));
  const { config } = loadConfig({ file: all, env: {}, flags: {} });
  assert.equal(config.endpoint, SETTINGS.endpoint.example);
  assert.equal(config.restateAdminUrl, SETTINGS.restateAdminUrl.example);
});

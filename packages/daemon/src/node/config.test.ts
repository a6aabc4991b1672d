import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { AppError } from '@helixmesh/protocol';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { CONFIG_FILE, loadConfig, shownValue } from './config.ts';
import { ROLES } from './config-schema.ts';
import { servedAccounts } from './served-accounts.ts';
import { CONFIG_KEYS, SETTINGS } from './settings.ts';

const folder = temporaryFolder('config');

function file(text: string): string {
  const path = join(folder, `${Math.abs(hash(text))}.toml`);
  writeFileSync(path, text);
  return path;
}

function hash(text: string): number {
  let value = 7;
  for (const char of text) value = (value * 31 + char.charCodeAt(0)) | 0;
  return value;
}

function refused(run: () => unknown, pattern: RegExp): void {
  assert.throws(run, (error) => {
    assert.ok(error instanceof AppError);
    assert.equal(error.code, 'CONFIG_INVALID');
    assert.match(error.message, pattern);
    return true;
  });
}

test('flags win over the environment, the environment over the file, the file over defaults', () => {
  const path = file('[node]\ncores = 3\ndata_dir = "/from/file"\n[log]\nlevel = "warn"\n');
  const env = { HELIXMESH_CORES: '5', HELIXMESH_LOG_LEVEL: 'error' };
  const { config, origins } = loadConfig({ file: path, env, flags: { cores: 7 } });
  assert.equal(config.cores, 7);
  assert.equal(config.logLevel, 'error');
  assert.equal(config.dataDir, '/from/file');
  assert.equal(origins.cores, 'flag');
  assert.equal(origins.logLevel, 'environment HELIXMESH_LOG_LEVEL');
  assert.equal(origins.dataDir, `file ${path}`);
  assert.equal(origins.restateAdminUrl, 'default');
});

test('a node serves the wallets that its settings name, and anybody where they name none', () => {
  const [alice, bob] = [`0x${'a'.repeat(40)}`, `0x${'b'.repeat(40)}`];
  const { config } = loadConfig({ env: { HELIXMESH_ACCOUNTS: `${alice}, ${bob}` }, flags: {} });
  const isServed = servedAccounts(config);
  assert.deepEqual([alice, bob, `0x${'c'.repeat(40)}`].map(isServed), [true, true, false]);
  assert.ok(servedAccounts(loadConfig({ env: {}, flags: {} }).config)(alice));
  refused(() => loadConfig({ env: { HELIXMESH_ACCOUNTS: 'alice' }, flags: {} }), /accounts/);
});

test('an unknown setting, a bad value and half a pair of URLs are refused by name', () => {
  refused(
    () => loadConfig({ file: file('[node]\ncoers = 3\n'), env: {}, flags: {} }),
    /node\.coers/,
  );
  refused(
    () => loadConfig({ env: { HELIXMESH_CORES: 'many' }, flags: {} }),
    /cores .*HELIXMESH_CORES/,
  );
  refused(
    () => loadConfig({ env: { HELIXMESH_RESTATE_ADMIN_URL: 'http://127.0.0.1:9070' }, flags: {} }),
    /together/,
  );
  refused(
    () => loadConfig({ file: join(folder, 'absent.toml'), env: {}, flags: {} }),
    /absent\.toml/,
  );
});

const LISTEN = 'listen = "127.0.0.1:7400"';

test('roles come from file, environment or flag; one that is unknown or named twice is refused', () => {
  const path = file(`[node]\nroles = ["storage", "compute"]\n${LISTEN}\n`);
  assert.deepEqual(loadConfig({ file: path, env: {}, flags: {} }).config.roles, [
    'storage',
    'compute',
  ]);
  const env = { HELIXMESH_ROLES: 'custodian, storage' };
  const loaded = loadConfig({ file: path, env, flags: {} });
  assert.deepEqual(loaded.config.roles, ['custodian', 'storage']);
  assert.equal(loaded.origins.roles, 'environment HELIXMESH_ROLES');
  assert.deepEqual(loadConfig({ env: {}, flags: {} }).config.roles, []);
  const from = (roles: string) => () =>
    loadConfig({ file: path, env: { HELIXMESH_ROLES: roles }, flags: {} });
  refused(from('storag'), /roles .*HELIXMESH_ROLES.*unknown role; known: storage, custodian/);
  refused(from('storage,storage'), /twice/);
  refused(from('coordinator,custodian'), /never holds data keys/);
  assert.equal(ROLES.length, 5);
});

test('a node with a role says where it listens, and needs leave for what others reach', () => {
  const load = (listen: string, more = '') =>
    loadConfig({
      file: file(`[node]\nroles = ["storage"]\n${listen}\n${more}`),
      env: {},
      flags: {},
    });
  refused(() => load(''), /needs node\.listen/);
  refused(() => load('listen = "7400"'), /listen .*host:port/);
  refused(() => load('listen = "192.168.0.4:7400"'), /let other machines reach/);
  refused(() => load('listen = "0.0.0.0:7400"', 'listen_public = true'), /nobody can dial/);
  const open = 'listen_public = true\nendpoint = "vault.example.org:7400"';
  assert.equal(load('listen = "0.0.0.0:7400"', open).config.listenPublic, true);
});

test('names of the environment that others chose count on a node with roles alone', () => {
  const env = {
    SEQUENTIAS_NODE_ID: `node_${'a'.repeat(64)}`,
    NODE_LOCATION: '19.43,-99.13',
    NODE_OPERATOR_WALLET: `0x${'b'.repeat(40)}`,
  };
  const local = loadConfig({ env: { ...env, NODE_LOCATION: 'Mexico City' }, flags: {} });
  assert.equal(local.config.location, null);
  assert.equal(local.config.nodeId, null);
  const path = file(`[node]\nroles = ["compute"]\n${LISTEN}\nlocation = "1,1"\n`);
  const { config, origins } = loadConfig({ file: path, env, flags: {} });
  assert.equal(config.nodeId, env.SEQUENTIAS_NODE_ID);
  assert.equal(config.location, '19.43,-99.13');
  assert.equal(config.operator, env.NODE_OPERATOR_WALLET);
  assert.equal(origins.location, 'environment NODE_LOCATION');
  const both = { ...env, HELIXMESH_LOCATION: '2,2' };
  assert.equal(loadConfig({ file: path, env: both, flags: {} }).config.location, '2,2');
  refused(
    () => loadConfig({ file: path, env: { ...env, NODE_LOCATION: 'Mexico City' }, flags: {} }),
    /location .*NODE_LOCATION.*degrees/,
  );
  refused(
    () => loadConfig({ file: path, env: { SEQUENTIAS_NODE_ID: 'mx-1' }, flags: {} }),
    /nodeId .*SEQUENTIAS_NODE_ID.*public key/,
  );
});

test('node.toml of the data folder is read when no file is named, and names no other folder', () => {
  const dataDir = join(folder, 'own');
  mkdirSync(dataDir);
  const path = join(dataDir, CONFIG_FILE);
  writeFileSync(path, '[node]\ncores = 3\n');
  const loaded = loadConfig({ env: { HELIXMESH_DATA: dataDir }, flags: {} });
  assert.equal(loaded.config.cores, 3);
  assert.equal(loaded.origins.cores, `file ${path}`);
  const other = file('[node]\ncores = 4\n');
  assert.equal(loadConfig({ file: other, env: {}, flags: { dataDir } }).config.cores, 4);
  writeFileSync(path, '[node]\ndata_dir = "/elsewhere"\n');
  refused(() => loadConfig({ env: {}, flags: { dataDir } }), /another folder/);
});

test('what cannot be chosen is refused with the reason', () => {
  const load = (line: string) => () =>
    loadConfig({ file: file(`[middleware]\n${line}\n`), env: {}, flags: {} });
  refused(load('auth = false'), /always signed/);
  refused(load('compression = true'), /does not shrink/);
  refused(load('tracing = true'), /none yet/);
  refused(load('rate_limit = 0'), /rateLimit/);
  refused(load('[middleware.more]'), /unknown setting middleware\.more/);
  assert.equal(
    loadConfig({ env: { HELIXMESH_METRICS: 'false' }, flags: {} }).config.metrics,
    false,
  );
});

test('no failure and no listing shows what a file holds beside names of settings', () => {
  const secret = 'c0ffee00'.repeat(8);
  for (const text of [`[node]\nkey_${'x'} = "${secret}"\n`, `[node]\nzone = ${secret}\n`]) {
    assert.throws(
      () => loadConfig({ file: file(text), env: {}, flags: {} }),
      (error) => error instanceof AppError && !`${error.message}${error.hint}`.includes(secret),
    );
  }
  refused(
    () => loadConfig({ file: file(`[node]\nzone = "${secret}"\n`), env: {}, flags: {} }),
    /^(?!.*c0ffee).*zone/,
  );
  assert.equal(shownValue('http://me:pass@127.0.0.1:8080'), 'http://***@127.0.0.1:8080');
  assert.equal(shownValue(['storage', 'compute']), 'storage, compute');
  assert.equal(shownValue(null), '');
});

test('every setting has a name of its own in file and environment', () => {
  const names = CONFIG_KEYS.flatMap((key) => [SETTINGS[key].at.join('.'), SETTINGS[key].env]);
  assert.equal(new Set(names).size, names.length);
});

test('the guide names every setting, its place in the environment and each role', () => {
  const guide = readFileSync(
    join(import.meta.dirname, '..', '..', '..', '..', 'docs', 'operating', 'node.md'),
    'utf8',
  );
  for (const key of CONFIG_KEYS) {
    const { at, env, foreignEnv } = SETTINGS[key];
    const row = `| \`${at.join('.')}\` | \`${env}\`${foreignEnv === undefined ? '' : `, \`${foreignEnv}\``} |`;
    assert.ok(guide.includes(row), row);
  }
  for (const role of ROLES) assert.ok(guide.includes(`| \`${role}\` |`), role);
});

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { AppError } from '@helixmesh/protocol';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { loadConfig } from './config.ts';

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

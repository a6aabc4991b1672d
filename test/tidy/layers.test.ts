/**
 * The layer table: a package imports from a lower level only, never sideways, and reaches another
 * package by its name, through an entry of its package.json.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { importsOf, isTest, ROOT, type SourceFile, sources } from './repository.ts';

/** Level of each workspace, as in ARCHITECTURE.md. */
const LEVELS: Readonly<Record<string, number>> = {
  'packages/protocol': 1,
  'packages/scheduler': 2,
  'packages/vault': 2,
  'packages/pipelines': 3,
  'packages/client': 3,
  'packages/daemon': 4,
  'apps/cli': 5,
};

const FOLDER_BY_NAME: Readonly<Record<string, string>> = {
  '@helixmesh/protocol': 'packages/protocol',
  '@helixmesh/scheduler': 'packages/scheduler',
  '@helixmesh/vault': 'packages/vault',
  '@helixmesh/pipelines': 'packages/pipelines',
  '@helixmesh/client': 'packages/client',
  '@helixmesh/daemon': 'packages/daemon',
  helixmesh: 'apps/cli',
};

function workspaceOf(path: string): string {
  return path.split('/').slice(0, 2).join('/');
}

/** What a module must not need to run in a browser as well. */
const NODE_ONLY = /\bfrom 'node:|\bBuffer\b|\bprocess\./;

/** Compliance suites are public to tests of adapters, as `@helixmesh/<package>/testing/<suite>`. */
function isForTests(path: string): boolean {
  return isTest(path) || path.includes('/testing/');
}

/** Whether the package of `folder` lets `file` import `entry`, e.g. `.` or `./reader`. */
function isPublic(folder: string, entry: string, file: SourceFile): boolean {
  if (entry.startsWith('./testing/')) return isForTests(file.path);
  const manifest = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
  return Object.hasOwn(manifest.exports ?? {}, entry);
}

/** What is wrong with the imports of one module. */
function violations(file: SourceFile): string[] {
  const own = workspaceOf(file.path);
  return importsOf(file).flatMap(({ specifier, line }) => {
    const at = `${file.path}:${line} imports ${specifier}`;
    if (specifier.startsWith('.')) {
      const target = join(dirname(file.path), specifier);
      return workspaceOf(target) === own ? [] : [`${at}: use the package's name`];
    }
    const name = specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/');
    const folder = FOLDER_BY_NAME[name];
    if (folder === undefined || folder === own) return [];
    if (!isPublic(folder, specifier.replace(name, '.'), file)) {
      return [`${at}: only the package's entries are public`];
    }
    const isLower = (LEVELS[folder] ?? 0) < (LEVELS[own] ?? 0);
    return isLower ? [] : [`${at}: level ${LEVELS[own]} may not import level ${LEVELS[folder]}`];
  });
}

const modules = sources('.ts').filter(({ path }) => /^(packages|apps)\//.test(path));

test('every workspace has a level', () => {
  const unknown = new Set(modules.map(({ path }) => workspaceOf(path)));
  assert.deepEqual(
    [...unknown].filter((folder) => LEVELS[folder] === undefined),
    [],
  );
});

test('packages import lower levels only, by name', () => {
  assert.ok(modules.length > 50, `only ${modules.length} modules were looked at`);
  assert.deepEqual(modules.flatMap(violations), []);
});

test('the contract needs Node in its Node adapters only', () => {
  const portable = modules.filter(
    ({ path }) =>
      path.startsWith('packages/protocol/') &&
      !isForTests(path) &&
      !/\/(node|node-[\w-]+)\.ts$/.test(path),
  );
  assert.ok(portable.length > 5, `only ${portable.length} modules were looked at`);
  assert.deepEqual(
    portable.filter(({ text }) => NODE_ONLY.test(text)).map(({ path }) => path),
    [],
  );
});

test('the entries of a browser do not reach a Node adapter', () => {
  const found = modules
    .filter(({ path }) => path.startsWith('packages/protocol/') && !isForTests(path))
    .filter(({ path }) => !path.endsWith('/node.ts'))
    .flatMap((file) =>
      importsOf(file)
        .filter(({ specifier }) => /\/(node|node-[\w-]+)\.ts$/.test(specifier))
        .map(({ specifier, line }) => `${file.path}:${line} imports ${specifier}`),
    );
  assert.deepEqual(found, []);
});

test('product code does not import tests or fixtures', () => {
  const found = modules
    .filter(
      ({ path }) => !isTest(path) && !path.includes('/testing/') && !path.endsWith('index.ts'),
    )
    .flatMap((file) =>
      importsOf(file)
        .filter(({ specifier }) => /\/testing\/|\.test\.ts$/.test(specifier))
        .map(({ specifier, line }) => `${file.path}:${line} imports ${specifier}`),
    );
  assert.deepEqual(found, []);
});

test('the rules see a violation when there is one', () => {
  const file = (path: string, specifier: string) => ({
    path,
    text: `import x from '${specifier}';`,
  });
  const bad = [
    file('packages/protocol/src/a.ts', '@helixmesh/daemon'),
    file('packages/client/src/a.ts', '@helixmesh/pipelines'),
    file('packages/scheduler/src/a.ts', '@helixmesh/pipelines'),
    file('packages/vault/src/a.ts', '@helixmesh/scheduler'),
    file('packages/daemon/src/a.ts', '../../pipelines/src/index.ts'),
    file('apps/cli/src/a.ts', '@helixmesh/daemon/src/x.ts'),
    file('apps/cli/src/a.ts', '@helixmesh/pipelines/testing/shell'),
  ];
  for (const example of bad) assert.equal(violations(example).length, 1, example.text);
});

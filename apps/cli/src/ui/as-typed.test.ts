/** Paths and commands that people are told to type. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { typedCommand, typedPath } from './as-typed.ts';

test('a path below this folder is told from here, any other one whole', () => {
  assert.equal(typedPath(join(process.cwd(), 'try', 'owner')), 'try/owner');
  assert.equal(typedPath('/elsewhere/owner'), '/elsewhere/owner');
  assert.equal(typedPath(process.cwd()), process.cwd());
});

test('a checkout runs its own scripts, an installed program has a name', (t) => {
  const main = process.argv[1] ?? '';
  t.after(() => {
    process.argv[1] = main;
  });
  process.argv[1] = join(process.cwd(), 'apps/cli/src/main.ts');
  assert.deepEqual([typedCommand('helixmesh'), typedCommand('biofs')], ['./helixmesh', './biofs']);
  process.argv[1] = '/elsewhere/apps/cli/src/biofs/main.ts';
  assert.equal(typedCommand('biofs'), '/elsewhere/biofs');
  process.argv[1] = '/usr/lib/node_modules/helixmesh/main.js';
  assert.equal(typedCommand('biofs'), 'biofs');
});

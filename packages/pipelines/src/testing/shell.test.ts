import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { shell } from './shell.ts';

test('a command line answers its output, and takes names from the environment', async () => {
  const name = 'a name with "quotes" and $signs';
  assert.equal(await shell(tmpdir(), 'printf %s "$NAME" | cat', { NAME: name }), name);
});

test('a stage that fails fails the line, wherever it stands', async () => {
  const failed = { stderr: /first/ };
  await assert.rejects(shell(tmpdir(), '(echo first >&2; exit 3) | cat'), failed);
  await assert.rejects(shell(tmpdir(), 'echo first >&2; false; echo never'), failed);
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cliReference, leaves } from './cli-reference.ts';
import { commandPath, EXAMPLES } from './examples.ts';
import { createProgram } from './program.ts';

const PAGE = join(import.meta.dirname, '..', '..', '..', 'docs', 'reference', 'cli.md');

test('the reference page says what the commands say (else: make docs)', () => {
  assert.equal(readFileSync(PAGE, 'utf8'), cliReference());
});

test('every command has an example, and every example a command', () => {
  const commands = leaves(createProgram()).map(commandPath);
  const shown = new Set(EXAMPLES.map(({ command }) => command));
  assert.deepEqual(
    commands.filter((command) => !shown.has(command)),
    [],
  );
  assert.deepEqual(
    [...shown].filter((command) => !commands.includes(command)),
    [],
  );
});

test('examples name only options that exist', () => {
  const program = createProgram();
  const byPath = new Map(leaves(program).map((command) => [commandPath(command), command]));
  for (const { command, line } of EXAMPLES) {
    const known = [...program.options, ...(byPath.get(command)?.options ?? [])].map((o) => o.long);
    const used = line.match(/--[a-z0-9-]+/g) ?? [];
    assert.deepEqual(
      used.filter((flag) => !known.includes(flag)),
      [],
      line,
    );
  }
});

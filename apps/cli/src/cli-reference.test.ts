import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cliReference, leaves, references } from './cli-reference.ts';
import { commandPath } from './examples.ts';

const PAGES = join(import.meta.dirname, '..', '..', '..', 'docs', 'reference');

for (const reference of references()) {
  const { program, examples, page } = reference;
  const name = program.name();

  test(`the reference page of ${name} says what the commands say (else: make docs)`, () => {
    assert.equal(readFileSync(join(PAGES, page), 'utf8'), cliReference(reference));
  });

  test(`every command of ${name} has an example, and every example a command`, () => {
    const commands = leaves(program).map(commandPath);
    const shown = new Set(examples.map(({ command }) => command));
    assert.deepEqual(
      commands.filter((command) => !shown.has(command)),
      [],
    );
    assert.deepEqual(
      [...shown].filter((command) => !commands.includes(command)),
      [],
    );
  });

  test(`examples of ${name} name only options that exist`, () => {
    const byPath = new Map(leaves(program).map((command) => [commandPath(command), command]));
    for (const { command, line } of examples) {
      assert.ok(line.startsWith(`${name} `), line);
      const options = [...program.options, ...(byPath.get(command)?.options ?? [])];
      const known = options.map((option) => option.long);
      const used = line.match(/(?<= )--[a-z0-9-]+/g) ?? [];
      assert.deepEqual(
        used.filter((flag) => !known.includes(flag)),
        [],
        line,
      );
    }
  });
}

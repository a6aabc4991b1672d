/** What `--help` says, at the widths that terminals have. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from 'commander';
import { createProgram as createBiofs } from './biofs/program.ts';
import { createProgram } from './program.ts';

const WIDTHS = [80, 120] as const;

/** Every command of both programs. */
function everything(): Command[] {
  return [...all(createProgram()), ...all(createBiofs())];
}

/** All commands, groups of commands included. */
function all(command: Command): Command[] {
  return [command, ...command.commands.flatMap(all)];
}

function helpAt(command: Command, width: number): string {
  let text = '';
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
    getOutHelpWidth: () => width,
  });
  command.outputHelp();
  return text;
}

for (const width of WIDTHS) {
  test(`descriptions are broken once, where ${width} columns end`, () => {
    for (const command of everything()) {
      const [, description = ''] = helpAt(command, width).split('\n\n');
      const lines = description.split('\n');
      assert.equal(lines.join(' '), command.description());
      for (const [index, line] of lines.entries()) {
        assert(line.length <= width, `${command.name()}: ${line}`);
        const [nextWord] = (lines[index + 1] ?? '').split(' ');
        if (nextWord === undefined || nextWord === '') continue;
        assert(line.length + 1 + nextWord.length > width, `${command.name()}: ${line}`);
      }
    }
  });

  test(`options and arguments fit ${width} columns`, () => {
    for (const command of everything()) {
      const [prose = ''] = helpAt(command, width).split('\nExamples:');
      const long = prose.split('\n').filter((line) => line.length > width);
      assert.deepEqual(long, [], command.name());
    }
  });
}

test('commands are listed by a summary in lower case, and --help is the only help', () => {
  for (const command of everything()) {
    if (command.parent === null) continue;
    assert.match(command.summary(), /^[a-z]/, command.name());
    assert.doesNotMatch(helpAt(command, 80), /help \[command\]/);
  }
});

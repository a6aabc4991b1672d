import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { printableCommand, quoteArgument, quoteCommand } from './quote.ts';

const nasty = fc.constantFrom(
  ...`'"\\$\`!*?[]{}()<>|&;#~=-\n\t\r %é𝔸`,
  '$(id)',
  '`id`',
  '\\n',
  '-n',
);
const argument = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.array(nasty, { maxLength: 8 }).map((p) => p.join('')),
  )
  .map((text) => text.replaceAll('\0', ''))
  .filter((text) => text.isWellFormed());

test('bash reads back exactly the arguments that were rendered', () => {
  fc.assert(
    fc.property(fc.array(argument, { minLength: 1, maxLength: 40 }), (args) => {
      const script = quoteCommand(['printf', '%s\\0', ...args]);
      const output = execFileSync('/bin/bash', ['--norc', '-c', script], { encoding: 'utf8' });
      assert.deepEqual(output.split('\0').slice(0, -1), args);
    }),
    { numRuns: 60 },
  );
});

test('a command that looks like an assignment, a keyword or an alias is still a command', () => {
  for (const command of ['A=1', 'if', '!', '{', '[[', 'time']) {
    assert.match(quoteCommand([command]), /^'.*'$/);
  }
});

test('a NUL or a lone surrogate is refused', () => {
  assert.throws(() => quoteArgument('a\0b'), { code: 'INTERNAL' });
  assert.throws(() => quoteArgument('\uD800'), { code: 'INTERNAL' });
});

test('a printable command shows pipes and the target', () => {
  const stages = [
    ['bwa', 'mem', '-R', '@RG\\tID:a'],
    ['samtools', 'sort'],
  ];
  assert.equal(
    printableCommand(stages, 'out.bam'),
    "bwa mem -R '@RG\\tID:a' | samtools sort > out.bam",
  );
});

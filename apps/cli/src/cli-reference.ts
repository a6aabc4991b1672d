/** The reference pages of the command lines, made from the commands themselves. */
import { ERROR_TABLE } from '@helixmesh/protocol';
import type { Command } from 'commander';
import { BIOFS_EXAMPLES } from './biofs/examples.ts';
import { createProgram as createBiofs } from './biofs/program.ts';
import { commandPath, EXAMPLES, type Example } from './examples.ts';
import { createProgram } from './program.ts';

/** A program and its page below docs/reference. */
export interface Reference {
  readonly page: string;
  readonly program: Command;
  readonly examples: readonly Example[];
}

export function references(): readonly Reference[] {
  return [
    { page: 'cli.md', program: createProgram(), examples: EXAMPLES },
    { page: 'biofs.md', program: createBiofs(), examples: BIOFS_EXAMPLES },
  ];
}

export function cliReference({ program, examples }: Reference): string {
  return [
    `# \`${program.name()}\` on the command line`,
    '<!-- Made by `make docs` from the commands. A test fails when it differs from them. -->',
    'Answers go to standard output, progress and errors to standard error. With `--json` the answer, ' +
      'or `{"error": …}`, is one JSON document.',
    '## Options of every command',
    optionTable(program),
    ...leaves(program).map((command) => section(program.name(), command, examples)),
    '## Exit codes',
    exitTable(),
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}

/** Commands that do something, in the order of the help. */
export function leaves(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

function section(name: string, command: Command, all: readonly Example[]): string {
  const path = commandPath(command);
  const words = command.registeredArguments.map((argument) => {
    const dots = argument.variadic ? '...' : '';
    return argument.required ? `<${argument.name()}${dots}>` : `[${argument.name()}${dots}]`;
  });
  const examples = all.filter((example) => example.command === path);
  const parts = [`## ${[name, path, ...words].join(' ')}`, command.description()];
  for (const argument of command.registeredArguments) {
    parts.push(`\`${argument.name()}\`: ${argument.description}`);
  }
  if (command.options.length > 0) parts.push(optionTable(command));
  if (examples.length > 0) {
    parts.push(`\`\`\`sh\n${examples.map(({ line }) => line).join('\n')}\n\`\`\``);
  }
  return parts.join('\n\n');
}

function optionTable(command: Command): string {
  const rows = command.options.map((option) => {
    const notes = [option.description];
    if (option.mandatory) notes.push('(required)');
    if (option.argChoices !== undefined) notes.push(`(${option.argChoices.join(', ')})`);
    if (option.defaultValue !== undefined && typeof option.defaultValue !== 'boolean') {
      notes.push(`(default ${option.defaultValue})`);
    }
    return `| \`${option.flags}\` | ${notes.join(' ').replaceAll('|', '\\|').replaceAll('<', '\\<')} |`;
  });
  return ['| option | meaning |', '|---|---|', ...rows].join('\n');
}

function exitTable(): string {
  const codes = new Map<number, string[]>([[0, ['success']]]);
  for (const [code, { exit }] of Object.entries(ERROR_TABLE)) {
    codes.set(exit, [...(codes.get(exit) ?? []), code]);
  }
  const rows = [...codes]
    .sort((a, b) => a[0] - b[0])
    .map(([exit, names]) => `| ${exit} | ${names.join(', ')} |`);
  return ['| exit | code |', '|---|---|', ...rows].join('\n');
}

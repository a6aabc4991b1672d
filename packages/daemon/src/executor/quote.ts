/** Renders argument vectors as shell text that bash reads back to exactly the same arguments. */
import { AppError } from '@helixmesh/protocol';

const PLAIN = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** One word. Throws INTERNAL for a NUL or a lone surrogate, which no process can receive. */
export function quoteArgument(argument: string): string {
  if (argument.includes('\0') || !argument.isWellFormed()) {
    throw new AppError('INTERNAL', 'an argument holds what no process can receive');
  }
  // `A=b` as the first word would be an assignment, so commands are quoted by quoteCommand only.
  if (PLAIN.test(argument)) return argument;
  return `'${argument.replaceAll("'", "'\\''")}'`;
}

/** A command: the first word is quoted always, so that it is no assignment, keyword or alias. */
export function quoteCommand(argv: readonly string[]): string {
  const [command = '', ...args] = argv;
  const first = quoteArgument(command);
  const word = first.startsWith("'") ? first : `'${first}'`;
  return [word, ...args.map(quoteArgument)].join(' ');
}

/** For people: the stages joined by pipes, without paths of the machine. */
export function printableCommand(stages: readonly (readonly string[])[], stdout?: string): string {
  const text = stages.map((argv) => argv.map(quoteArgument).join(' ')).join(' | ');
  return stdout === undefined ? text : `${text} > ${quoteArgument(stdout)}`;
}

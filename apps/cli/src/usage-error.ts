/** Wrong command lines in the form of every other failure. */
import { AppError } from '@helixmesh/protocol';
import type { CommanderError } from 'commander';

/** `error: unknown option '--refrence'\n(Did you mean --reference?)` in our words. */
export function usageError({ message }: CommanderError): AppError {
  const [first = '', ...rest] = message.split('\n');
  const suggestion = /\(Did you mean (.+)\?\)/.exec(rest.join(' '))?.[1];
  return new AppError('USAGE', first.replace(/^error: /, ''), {
    hint:
      suggestion === undefined
        ? 'See --help, or --help after the command.'
        : `Did you mean ${suggestion}?`,
  });
}

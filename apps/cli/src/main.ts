#!/usr/bin/env node
/** `helixmesh`, also known as `biofs`. */
import { CommanderError } from 'commander';
import { createProgram } from './program.ts';
import { reportError } from './ui/errors.ts';

/** sysexits(3): the command line was wrong. */
const EXIT_USAGE = 64;

const program = createProgram();
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode =
    error instanceof CommanderError
      ? // Commander has said what was wrong; help and version are no failures.
        error.exitCode === 0
        ? 0
        : EXIT_USAGE
      : reportError(error, program.opts()['json'] === true);
}

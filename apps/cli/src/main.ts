#!/usr/bin/env node
/** `helixmesh`, also known as `biofs`. */
import { createProgram, exitCodeOf } from './program.ts';

// A reader that closes the pipe early (`| head`) has seen what it wanted.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const program = createProgram();
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error, program.opts()['json'] === true);
}

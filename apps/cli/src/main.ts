#!/usr/bin/env node
/**
 * `helixmesh`, also known as `biofs`. Loads nothing of ours before it knows that this Node can: an
 * older one should hear a sentence, not a syntax error.
 */
import * as nodeModule from 'node:module';

const NODE_MAJOR_MIN = 24;
/** sysexits(3): unavailable. */
const EXIT_UNAVAILABLE = 69;

if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN) {
  process.stderr.write(
    `error: Helixmesh needs Node ${NODE_MAJOR_MIN} or newer, this is ${process.versions.node}\n` +
      `  → Put a newer one before it in PATH, for example with: npm install node@${NODE_MAJOR_MIN}\n`,
  );
  process.exit(EXIT_UNAVAILABLE);
}

// Compiled modules are kept by Node between runs: a start takes a third less time.
nodeModule.enableCompileCache();

// A reader that closes the pipe early (`| head`) has seen what it wanted.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const { createProgram, exitCodeOf } = await import('./program.ts');
const program = createProgram();
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error, program.opts()['json'] === true);
}

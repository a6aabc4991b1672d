/**
 * What happens before a program of ours runs. Nothing of ours is loaded before it is known that this
 * Node can: an older one should hear a sentence, not a syntax error.
 */
import * as nodeModule from 'node:module';
import { setFlagsFromString } from 'node:v8';

interface Program {
  parseAsync(): Promise<unknown>;
  opts(): Record<string, unknown>;
}

interface ProgramModule {
  createProgram(): Program;
}

const NODE_MAJOR_MIN = 24;
/** sysexits(3): unavailable. */
const EXIT_UNAVAILABLE = 69;

export async function boot(load: () => Promise<ProgramModule>): Promise<void> {
  if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN) {
    process.stderr.write(
      `error: Helixmesh needs Node ${NODE_MAJOR_MIN} or newer, this is ${process.versions.node}\n` +
        `  → Put a newer one before it in PATH, for example with: npm install node@${NODE_MAJOR_MIN}\n`,
    );
    process.exit(EXIT_UNAVAILABLE);
  }

  // Compiled modules are kept by Node between runs: a start takes a third less time.
  nodeModule.enableCompileCache();

  // V8 otherwise collects all of its heap for each 64 MiB that went through buffers, however many of
  // them are free already: half of the processor time of a vault that takes a large body.
  setFlagsFromString('--external-memory-accounted-in-global-limit');

  // A reader that closes the pipe early (`| head`) has seen what it wanted.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });

  const { createProgram } = await load();
  const { exitCodeOf } = await import('./program-shape.ts');
  const program = createProgram();
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = exitCodeOf(error, program.opts()['json'] === true);
  }
}

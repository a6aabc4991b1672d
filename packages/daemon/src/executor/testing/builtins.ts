/** Builtins for the tests of the executor. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Builtin } from '@helixmesh/pipelines';
import { AppError } from '@helixmesh/protocol';

export const BUILTINS: Readonly<Record<string, Builtin>> = {
  greet: async ({ folder, args, threads, progress }) => {
    progress(0.5);
    await writeFile(join(folder, 'out.txt'), `hello ${args['name']} ${threads > 0}\n`);
  },
  refuse: async () => {
    const details = { lines: 3, unclonable: () => 0 };
    throw new AppError('INPUT_TRUNCATED', 'r1.fq ends in a record', { hint: 'Copy it.', details });
  },
  spin: async ({ progress }) => {
    progress(0.1);
    for (;;);
  },
};

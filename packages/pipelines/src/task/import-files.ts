/**
 * The builtin `import-files`: files that were made elsewhere become outputs of a task under the same
 * name. What they must be stands in `expected` of the outputs, and the executor digests them anyway.
 *
 * Args: `{ files }`, names of inputs below IMPORT_FOLDER.
 */
import { constants, copyFile, link, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { BuiltinContext } from './builtin.ts';

/** Where inputs lie that have the name of an output. */
export const IMPORT_FOLDER = 'import';

const argsSchema = z.strictObject({ files: z.array(z.string()) });

export async function importFiles(context: BuiltinContext): Promise<void> {
  const { files } = argsSchema.parse(context.args);
  for (const [i, name] of files.entries()) {
    const source = await realpath(join(context.folder, IMPORT_FOLDER, name));
    await linkOrCopy(source, join(context.folder, name));
    context.progress((i + 1) / files.length);
  }
}

/** An alignment of a genome is not stored twice where the file system has links. */
async function linkOrCopy(source: string, target: string): Promise<void> {
  await link(source, target).catch(() => copyFile(source, target, constants.COPYFILE_FICLONE));
}

/** Writes the files of a simulation beside their place and moves the folder there at the end. */
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { AppError } from '@helixmesh/protocol';
import { type FaiContig, formatFai } from '../formats/fai.ts';
import { CompressedWriter } from '../formats/gzip/bgzf-writer.ts';

const run = promisify(execFile);
const LINE_BASES = 60;
/** Temporary folders are private; the result need not be. */
const FOLDER_MODE = 0o755;

/**
 * Calls `write` with an empty folder and renames that folder to `outDir` when it is done; nothing
 * of it stays otherwise. OUTPUT_IN_USE when `outDir` exists and is not empty.
 */
export async function writeFolder<T>(
  outDir: string,
  write: (folder: string) => Promise<T>,
): Promise<T> {
  const target = resolve(outDir);
  await refuseUsed(target);
  let folder: string | null = null;
  try {
    await mkdir(dirname(target), { recursive: true });
    folder = await mkdtemp(join(dirname(target), `.${basename(target)}.partial-`));
    const result = await write(folder);
    await chmod(folder, FOLDER_MODE);
    await rename(folder, target);
    folder = null;
    return result;
  } catch (error) {
    throw AppError.from(error);
  } finally {
    if (folder !== null) await rm(folder, { recursive: true, force: true });
  }
}

async function refuseUsed(target: string): Promise<void> {
  const names = await readdir(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    if (error.code === 'ENOTDIR') return ['a file'];
    throw AppError.from(error);
  });
  if (names.length === 0) return;
  throw new AppError('OUTPUT_IN_USE', 'the output folder exists and is not empty', {
    hint: 'Choose a new folder or remove this one.',
  });
}

export interface FastaContig {
  readonly name: string;
  readonly bases: Uint8Array;
}

/** Writes `path` and `path.fai`. */
export function writeFasta(path: string, contigs: readonly FastaContig[]): void {
  const writer = new CompressedWriter(path, { compression: 'none' });
  const index: FaiContig[] = [];
  let offset = 0;
  for (const { name, bases } of contigs) {
    const header = `>${name}\n`;
    const lines = Math.ceil(bases.length / LINE_BASES);
    const body = Buffer.alloc(bases.length + lines, '\n');
    for (let i = 0; i < lines; i++) {
      body.set(bases.subarray(i * LINE_BASES, (i + 1) * LINE_BASES), i * (LINE_BASES + 1));
    }
    writer.write(header);
    writer.write(body);
    offset += header.length;
    index.push({
      ...{ name, lengthBases: bases.length, offset },
      ...{ lineBases: LINE_BASES, lineBytes: LINE_BASES + 1 },
    });
    offset += body.length;
  }
  writer.close();
  const indexWriter = new CompressedWriter(`${path}.fai`, { compression: 'none' });
  indexWriter.write(formatFai(index));
  indexWriter.close();
}

/** Makes `path.tbi`. */
export async function indexVcf(path: string): Promise<void> {
  try {
    await run('tabix', ['-p', 'vcf', path]);
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new AppError(isMissing ? 'TOOL_MISSING' : 'TOOL_FAILED', 'tabix made no index', {
      hint: 'Install it with `sudo apt-get install tabix` and try again.',
      cause: error,
    });
  }
}

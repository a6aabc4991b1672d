/** Files that take their name when all of them is there, for their owner alone. */
import { constants } from 'node:fs';
import { type FileHandle, link, open, rename, rm } from 'node:fs/promises';
import { AppError } from '@helixmesh/protocol';

/** Where a download lies until all of it is there. */
export function partialOf(path: string): string {
  return `${path}.partial`;
}

/** Throws OUTPUT_IN_USE where a file of that name is. */
export async function refuseExisting(path: string): Promise<void> {
  const found = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => undefined);
  if (found === undefined) return;
  await found.close();
  throw inUse(path);
}

/** Opens or makes the partial file, for its owner alone. */
export async function openPartial(path: string): Promise<FileHandle> {
  const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  const file = await open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600).catch(rethrown);
  try {
    const facts = await file.stat();
    // Somebody else's file, in a folder that all may write to, would show them the plaintext.
    const isOwn = facts.uid === (process.getuid?.() ?? facts.uid);
    if (!facts.isFile() || !isOwn || facts.nlink > 1) throw notOwn(path);
    await file.chmod(0o600);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Gives a partial file its name. A link takes no other's place, a rename would. */
export async function publish(partial: string, path: string, isReplacing: boolean): Promise<void> {
  if (isReplacing) return rename(partial, path).catch(rethrown);
  try {
    await link(partial, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw inUse(path);
    // Some file systems have no links.
    await refuseExisting(path);
    return rename(partial, path).catch(rethrown);
  }
  await rm(partial);
}

function notOwn(path: string): AppError {
  return new AppError('OUTPUT_UNWRITABLE', `${path} is not a file of yours alone`, {
    hint: 'Delete it, or give another folder with --out.',
  });
}

function inUse(path: string): AppError {
  return new AppError('OUTPUT_IN_USE', `${path} is there already`, {
    hint: 'Give another name with --out, or let it be replaced with --force.',
  });
}

/**
 * Writes `parts` to a new file. Throws OUTPUT_IN_USE, OUTPUT_UNWRITABLE, DISK_FULL, and what `parts`
 * throws; then no file is left.
 */
export async function writeWhole(
  parts: AsyncIterable<Uint8Array>,
  { path, isReplacing }: { readonly path: string; readonly isReplacing: boolean },
): Promise<{ readonly sizeBytes: number }> {
  if (!isReplacing) await refuseExisting(path);
  const partial = partialOf(path);
  const file = await openPartial(partial);
  try {
    await file.truncate().catch(rethrown);
    let sizeBytes = 0;
    for await (const part of parts) {
      await file.writeFile(part).catch(rethrown);
      sizeBytes += part.length;
    }
    await file.sync();
    await file.close();
    await publish(partial, path, isReplacing);
    return { sizeBytes };
  } catch (error) {
    await file.close();
    await rm(partial, { force: true });
    throw error;
  }
}

function rethrown(error: unknown): never {
  throw AppError.from(error);
}

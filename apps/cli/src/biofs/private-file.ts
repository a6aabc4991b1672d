/** Files of the data folder for its owner alone, which appear whole and durable or not at all. */
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AppError } from '@helixmesh/protocol';
import { type Crypto, toHex } from '@helixmesh/protocol/sealing';

/** Takes the place of what was there. Throws DISK_FULL, OUTPUT_UNWRITABLE. */
export async function writePrivateFile(crypto: Crypto, path: string, text: string): Promise<void> {
  const aside = join(dirname(path), `.${basename(path)}.${toHex(crypto.random(8))}`);
  try {
    const file = await open(aside, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
    const folder = await open(dirname(path), 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (error) {
    await rm(aside, { force: true });
    throw AppError.from(error);
  }
}

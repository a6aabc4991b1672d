/** What was written is on the disk before anybody relies on it. */
import { open } from 'node:fs/promises';

/** Makes the bytes of a file, or the names in a folder, durable. */
export async function makeDurable(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

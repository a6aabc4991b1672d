/**
 * The HeadStore in a folder of the file system, which one process has to itself.
 *
 *   owners/<address>.json   a record
 *   writing/<number>        what is being written; emptied when the store is opened
 */
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { keyedQueue } from '../blocks/keyed-queue.ts';
import { assertHeadRecord, type HeadStore, isOwner } from '../heads/head-store.ts';
import { HEAD_RECORD_BYTES_MAX } from '../limits.ts';
import { emptyFolder, makeFolder, readWhole, writeDurably } from './durable-file.ts';

export interface FsHeadStoreOptions {
  /** Made where it is not there. */
  readonly folder: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const SUFFIX = '.json';

/** Opens a folder of owners. Throws OUTPUT_UNWRITABLE, DISK_FULL. */
export async function openFsHeadStore({ folder, now }: FsHeadStoreOptions): Promise<HeadStore> {
  const owners = join(folder, 'owners');
  const writing = join(folder, 'writing');
  for (const each of [folder, owners, writing]) await makeFolder(each);
  await emptyFolder(writing);
  const queue = keyedQueue();
  let written = 0;

  return {
    async write(record) {
      assertHeadRecord(record);
      const { owner, bytes } = record;
      await queue(owner, async () => {
        written += 1;
        const aside = join(writing, `${written}`);
        await writeDurably({ path: join(owners, `${owner}${SUFFIX}`), aside, bytes, atMs: now() });
      });
    },
    async *list() {
      for await (const { name } of await opendir(owners)) {
        const owner = name.slice(0, -SUFFIX.length);
        if (!name.endsWith(SUFFIX) || !isOwner(owner)) continue;
        const bytes = await readWhole(join(owners, name), HEAD_RECORD_BYTES_MAX);
        // Something else of that name is a damaged record: there may have been a head.
        yield { owner, bytes: bytes ?? new Uint8Array(0) };
      }
    },
  };
}

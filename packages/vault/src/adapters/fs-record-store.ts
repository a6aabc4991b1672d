/**
 * The RecordStore in a folder of the file system, which one process has to itself.
 *
 *   records/<64 hex digits>.json   a record
 *   writing/<number>               what is being written; emptied when the store is opened
 */
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, parseDigest } from '@helixmesh/protocol';
import { keyedQueue } from '../blocks/keyed-queue.ts';
import { RECORD_BYTES_MAX } from '../limits.ts';
import { assertRecord } from '../objects/memory-record-store.ts';
import type { RecordStore } from '../objects/record-store.ts';
import { emptyFolder, makeFolder, readWhole, writeDurably } from './durable-file.ts';

const PREFIX = 'sha256:';

export interface FsRecordStoreOptions {
  /** Made where it is not there. */
  readonly folder: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Opens a folder of records. Throws OUTPUT_UNWRITABLE, DISK_FULL. */
export async function openFsRecordStore(options: FsRecordStoreOptions): Promise<RecordStore> {
  const records = join(options.folder, 'records');
  const writing = join(options.folder, 'writing');
  for (const each of [options.folder, records, writing]) await makeFolder(each);
  await emptyFolder(writing);
  const queue = keyedQueue();
  let written = 0;

  const pathOf = (id: Digest) => join(records, `${parseDigest(id).slice(PREFIX.length)}.json`);

  return {
    async read(id) {
      return await readWhole(pathOf(id), RECORD_BYTES_MAX);
    },
    async write(id, record) {
      assertRecord(record);
      const path = pathOf(id);
      await queue(id, async () => {
        written += 1;
        const aside = join(writing, `${written}`);
        await writeDurably({ path, aside, bytes: record, atMs: options.now() });
      });
    },
    async *list() {
      for await (const { name } of await opendir(records)) {
        if (/^[0-9a-f]{64}\.json$/.test(name)) {
          yield parseDigest(`${PREFIX}${name.slice(0, -'.json'.length)}`);
        }
      }
    },
  };
}

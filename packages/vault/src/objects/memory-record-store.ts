/** The RecordStore in memory: for tests, and for small things that need not last. */
import { AppError, type Digest, parseDigest } from '@helixmesh/protocol';
import { RECORD_BYTES_MAX } from '../limits.ts';
import type { RecordStore } from './record-store.ts';

export function memoryRecordStore(records = new Map<Digest, Uint8Array>()): RecordStore {
  return {
    async read(id) {
      return records.get(parseDigest(id))?.slice();
    },
    async write(id, record) {
      assertRecord(record);
      records.set(parseDigest(id), record.slice());
    },
    async *list() {
      yield* records.keys();
    },
  };
}

/** Throws USAGE for a record that is too large. */
export function assertRecord(record: Uint8Array): void {
  if (record.length <= RECORD_BYTES_MAX) return;
  throw new AppError('USAGE', `a record of ${record.length} bytes, at most ${RECORD_BYTES_MAX}`, {
    hint: 'Shorten the manifest.',
  });
}

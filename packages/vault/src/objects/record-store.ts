/**
 * The port under the catalogue: one small record for each object, by the object's id.
 *
 * A record is there as a whole or not at all, is replaced in one step, and is durable once `write`
 * has answered. Every adapter passes `testing/record-store-compliance.ts`.
 */
import type { Digest } from '@helixmesh/protocol';

export interface RecordStore {
  /** Undefined when there is none. */
  read(id: Digest): Promise<Uint8Array | undefined>;
  /** Takes the place of the record that was there. At most `RECORD_BYTES_MAX` bytes, else USAGE. */
  write(id: Digest, record: Uint8Array): Promise<void>;
  /** In any order. */
  list(): AsyncIterable<Digest>;
}

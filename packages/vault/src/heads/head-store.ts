/**
 * The port under `heads.ts`: one record for each owner, by the owner's address.
 *
 * A record is there as a whole or not at all, is replaced in one step, and is durable once `write`
 * has answered. Every adapter passes `testing/head-store-compliance.ts`.
 */
import { AppError } from '@helixmesh/protocol';
import { HEAD_RECORD_BYTES_MAX } from '../limits.ts';

export interface HeadRecord {
  /** 0x and 40 lower-case hex digits. */
  readonly owner: string;
  readonly bytes: Uint8Array;
}

export interface HeadStore {
  /** Takes the place of the record that was there. Throws USAGE for what is too large, DISK_FULL. */
  write(record: HeadRecord): Promise<void>;
  /** In any order. */
  list(): AsyncIterable<HeadRecord>;
}

const OWNER_PATTERN = /^0x[0-9a-f]{40}$/;

export function isOwner(text: string): boolean {
  return OWNER_PATTERN.test(text);
}

/** Throws USAGE for a record that no store keeps. */
export function assertHeadRecord({ owner, bytes }: HeadRecord): void {
  if (isOwner(owner) && bytes.length <= HEAD_RECORD_BYTES_MAX) return;
  throw new AppError('USAGE', `no record of an owner: ${bytes.length} bytes`, {
    hint: `Give an address in lower case and at most ${HEAD_RECORD_BYTES_MAX} bytes.`,
  });
}

/** The HeadStore in memory: for tests. */
export function memoryHeadStore(records = new Map<string, Uint8Array>()): HeadStore {
  return {
    async write(record) {
      assertHeadRecord(record);
      records.set(record.owner, record.bytes.slice());
    },
    async *list() {
      for (const [owner, bytes] of records) yield { owner, bytes: bytes.slice() };
    },
  };
}

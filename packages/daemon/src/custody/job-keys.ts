/**
 * The keys of what the tasks of one job hand to each other: an X25519 pair for each job, made when it is
 * first asked for and destroyed when nothing of the job goes on. The owner's own keys open none of it.
 *
 * K1  A key that was destroyed is not made again: a job has one or none.
 * K2  Only the coordinator that the job names ends it; and what has expired is deleted whoever asks.
 */
import type { Digest, NodeId } from '@helixmesh/protocol';
import {
  type KeyPair,
  makeX25519KeyPair,
  type NetworkJob,
  openHeader,
  sealHeader,
} from '@helixmesh/protocol/sealing';
import type { CustodyParts } from './custody.ts';

export interface JobKeys {
  /**
   * Destroys the key of a job at the word of its coordinator; for any other it does nothing. May be
   * called again.
   */
  endJob(job: Digest, coordinator: NodeId): void;
}

export function jobKeys({ database }: CustodyParts): JobKeys {
  return {
    endJob(job, coordinator) {
      const ended = database.run(
        'UPDATE job_keys SET sealed = NULL WHERE job = ? AND coordinator = ? AND sealed IS NOT NULL',
        job,
        coordinator,
      );
      // Where another process reads, the next change empties it.
      if (ended > 0) database.eraseJournal();
    },
  };
}

/** The key of a job, within the transaction of the caller; undefined where it was destroyed (K1). */
export function jobKeyOf(
  { database, crypto, key, now }: CustodyParts,
  { jobId, job }: { readonly jobId: Digest; readonly job: NetworkJob },
): KeyPair | undefined {
  database.run('DELETE FROM job_keys WHERE expires_at <= ?', now());
  const row = database.get<{ sealed: Uint8Array | null }>(
    'SELECT sealed FROM job_keys WHERE job = ?',
    jobId,
  );
  if (row === undefined) {
    const made = makeX25519KeyPair(crypto);
    const sealed = sealHeader(crypto, { dataKeys: [made.secretKey] }, [key.publicKey]);
    const { coordinator, expiresAtMs } = job;
    const sql = 'INSERT INTO job_keys VALUES (?, ?, ?, ?)';
    database.run(sql, jobId, coordinator, sealed, expiresAtMs);
    return made;
  }
  if (row.sealed === null) return undefined;
  const [secretKey] = openHeader(crypto, row.sealed, key).dataKeys;
  return secretKey && { secretKey, publicKey: crypto.x25519PublicKey(secretKey) };
}

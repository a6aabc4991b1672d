/**
 * The custody of one person in one network: the keys of their datasets, what they have granted and
 * revoked, what others have granted to them, and who got keys when. One SQLite file in the data
 * folder, used by the daemon (role custodian) and by the person's commands alike.
 *
 * Invariants
 * C1  A key is durable here before anybody relies on it: `addDataset` returns after the commit, and
 *     has opened the headers with the custody key.
 * C2  Each call is one transaction: a process that dies leaves all of it or nothing.
 * C3  Each call may be made again: it does nothing more.
 * C4  A shredded dataset never comes back, neither by adding it again nor by an older backup.
 *
 * Left out: the wallet's key, which is never here, and file names, which only sealed parts hold.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, type Digest } from '@helixmesh/protocol';
import type { Crypto, KeyPair } from '@helixmesh/protocol/sealing';
import { type AccessLog, accessLog } from './access-log.ts';
import { type Backups, backups } from './backup.ts';
import { loadCustodyKey } from './custody-key.ts';
import { type CustodyDatabase, openCustodyDatabase } from './database.ts';
import { type Datasets, datasets } from './datasets.ts';
import { type Grants, grants } from './grants.ts';
import { type Heads, heads } from './heads.ts';
import { type JobKeys, jobKeys } from './job-keys.ts';
import { type Releases, releases } from './release.ts';
import { type Replicas, replicas } from './replicas.ts';
import { type Rewraps, rewraps } from './rewrap.ts';
import { type TaskReleases, taskReleases } from './task-release.ts';
import { type Tombstones, tombstones } from './tombstones.ts';

export interface CustodyOptions {
  /** The data folder of the person; the store is in `custody` below it. */
  readonly folder: string;
  readonly crypto: Crypto;
  readonly network: Digest;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What the parts of a custody share. */
export interface CustodyParts {
  readonly database: CustodyDatabase;
  readonly crypto: Crypto;
  readonly network: Digest;
  readonly now: () => number;
  readonly key: KeyPair;
}

export interface Custody
  extends Datasets,
    Grants,
    Heads,
    AccessLog,
    Releases,
    Replicas,
    TaskReleases,
    Rewraps,
    JobKeys,
    Tombstones,
    Backups {
  /** X25519 key that the headers given to `addDataset` are sealed to. */
  readonly publicKey: Uint8Array;
  close(): void;
}

/** Opens the custody in a data folder, or makes it. Throws DATA_IN_USE, INPUT_MALFORMED, … */
export async function openCustody({ folder, ...rest }: CustodyOptions): Promise<Custody> {
  const own = join(folder, 'custody');
  try {
    mkdirSync(own, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw AppError.from(error);
  }
  const key = loadCustodyKey(rest.crypto, join(folder, 'identity', 'encryption.key'));
  const database = openCustodyDatabase(join(own, 'custody.sqlite'));
  const parts: CustodyParts = { ...rest, database, key };
  return {
    publicKey: key.publicKey,
    ...datasets(parts),
    ...grants(parts),
    ...heads(parts),
    ...accessLog(parts),
    ...releases(parts),
    ...replicas(parts),
    ...taskReleases(parts),
    ...rewraps(parts),
    ...jobKeys(parts),
    ...tombstones(parts),
    ...backups(parts),
    close: database.close,
  };
}

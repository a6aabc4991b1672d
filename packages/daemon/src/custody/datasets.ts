/**
 * The datasets of a custody: signed manifest, the two headers sealed to the custody key, and the
 * vaults that keep the body.
 */
import { AppError, type Digest } from '@helixmesh/protocol';
import {
  encodeDocument,
  formatNodeAddress,
  groupCount,
  type Manifest,
  type NodeAddress,
  openHeader,
  openPart,
  parseManifest,
  parseNodeAddress,
  rewrapHeader,
  type Signed,
  verifyDocument,
} from '@helixmesh/protocol/sealing';
import type { CustodyParts } from './custody.ts';
import { DATASETS_MAX, VAULTS_PER_DATASET_MAX } from './limits.ts';

export type DatasetState = 'pending' | 'stored' | 'shredded';

export interface NewDataset {
  readonly manifest: Signed<Manifest>;
  /** Crypt4GH header with all data keys, sealed to the custody key. */
  readonly header: Uint8Array;
  /** Crypt4GH header with the key of the manifest's sealed part, sealed to the custody key. */
  readonly partHeader: Uint8Array;
  /** Where the body will lie. */
  readonly vaults: readonly NodeAddress[];
}

export interface Dataset {
  readonly id: Digest;
  readonly manifest: Signed<Manifest>;
  /** `pending`: the keys are here, the body is not known to be in a vault yet. */
  readonly state: DatasetState;
  readonly vaults: readonly NodeAddress[];
  readonly addedAtMs: number;
  readonly storedAtMs: number | null;
  readonly shreddedAtMs: number | null;
}

/** The headers of a dataset for one more reader. */
export interface OwnHeaders {
  readonly header: Uint8Array;
  readonly partHeader: Uint8Array;
}

/** The headers as they are kept, sealed to the custody key. */
export interface StoredDataset {
  readonly manifest: Uint8Array;
  readonly state: DatasetState;
  readonly header: Uint8Array | null;
  readonly partHeader: Uint8Array | null;
}

export interface Datasets {
  /**
   * Keeps the keys of a dataset before its body is put anywhere. Throws INPUT_MALFORMED or
   * KEY_NOT_HELD when they are not those of the manifest, CONFLICT for a shredded dataset.
   */
  addDataset(dataset: NewDataset): Digest;
  /** A vault has confirmed that it holds the whole body. Throws NOT_FOUND, CONFLICT. */
  markStored(id: Digest, vault?: NodeAddress): void;
  /** Oldest first. */
  listDatasets(): Dataset[];
  getDataset(id: Digest): Dataset | undefined;
  /** The owner's own headers for an X25519 key. Throws NOT_FOUND; KEY_NOT_HELD when shredded. */
  openOwn(id: Digest, recipientKey: Uint8Array): OwnHeaders;
  /**
   * Destroys the keys of a dataset; a tombstone with its manifest stays. Backups made before still
   * hold them. Throws NOT_FOUND; DATA_IN_USE when the journal could not be emptied: do it again.
   */
  shred(id: Digest): void;
  addVault(address: NodeAddress): void;
  listVaults(): NodeAddress[];
}

interface Row {
  id: string;
  state: DatasetState;
  manifest: Uint8Array;
  added_at: number;
  stored_at: number | null;
  shredded_at: number | null;
}

export function datasets(parts: CustodyParts): Datasets {
  const { database, crypto, network, now, key } = parts;
  const link = (id: Digest, vaults: readonly NodeAddress[]) => {
    for (const vault of vaults) {
      const address = formatNodeAddress(vault);
      database.run(
        'INSERT OR IGNORE INTO dataset_vaults (dataset, vault) VALUES (?, ?)',
        id,
        address,
      );
      database.run('INSERT OR IGNORE INTO vaults VALUES (?, ?)', address, now());
    }
    const sql = 'SELECT count(*) AS count FROM dataset_vaults WHERE dataset = ?';
    limit('vaults of one dataset', countOf(parts, sql, id), VAULTS_PER_DATASET_MAX);
  };
  const view = (row: Row): Dataset => ({
    id: row.id as Digest,
    manifest: parseManifest(row.manifest),
    state: row.state,
    vaults: database
      .all<{ vault: string }>('SELECT vault FROM dataset_vaults WHERE dataset = ?', row.id)
      .map(({ vault }) => parseNodeAddress(vault)),
    addedAtMs: row.added_at,
    storedAtMs: row.stored_at,
    shreddedAtMs: row.shredded_at,
  });
  const rowOf = (id: Digest) => database.get<Row>(`${SELECT} WHERE id = ?`, id);
  return {
    addDataset({ manifest, header, partHeader, vaults }) {
      const { document } = manifest;
      const verdict = verifyDocument(crypto, manifest, { network, signer: document.owner });
      if (verdict.status === 'invalid') throw badDataset(`its manifest: ${verdict.reason}`);
      checkHeaders(parts, document, { header, partHeader });
      database.atomically(() => {
        const known = rowOf(verdict.id);
        if (known?.state === 'shredded') throw shredded();
        if (known === undefined) {
          const sql = 'SELECT count(*) AS count FROM datasets';
          limit('datasets', countOf(parts, sql) + 1, DATASETS_MAX);
          database.run(
            `INSERT INTO datasets (id, owner, state, manifest, header, part_header, added_at)
             VALUES (?, ?, 'pending', ?, ?, ?, ?)`,
            verdict.id,
            document.owner,
            encodeDocument(manifest),
            header,
            partHeader,
            now(),
          );
        }
        link(verdict.id, vaults);
      });
      return verdict.id;
    },
    markStored(id, vault) {
      database.atomically(() => {
        const known = rowOf(id) ?? fail(notHere(id));
        if (known.state === 'shredded') throw shredded();
        const sql = `UPDATE datasets SET state = 'stored', stored_at = ? WHERE id = ? AND state = 'pending'`;
        database.run(sql, now(), id);
        link(id, vault === undefined ? [] : [vault]);
        const said = `UPDATE dataset_vaults SET state = 'stored', said_at = ?
          WHERE dataset = ? AND vault = ?`;
        if (vault !== undefined) database.run(said, now(), id, formatNodeAddress(vault));
      });
    },
    listDatasets: () =>
      database.atomically(() => database.all<Row>(`${SELECT} ORDER BY added_at, id`).map(view)),
    getDataset: (id) =>
      database.atomically(() => {
        const row = rowOf(id);
        return row && view(row);
      }),
    openOwn(id, recipientKey) {
      const stored = storedDataset(parts, id) ?? fail(notHere(id));
      if (stored.header === null || stored.partHeader === null) throw destroyed(id);
      const keys = { reader: key, recipients: [recipientKey] };
      return {
        header: rewrapHeader(crypto, stored.header, keys),
        partHeader: rewrapHeader(crypto, stored.partHeader, keys),
      };
    },
    shred(id) {
      database.atomically(() => {
        if (rowOf(id) === undefined) throw notHere(id);
        database.run(
          `UPDATE datasets SET state = 'shredded', header = NULL, part_header = NULL,
           shredded_at = coalesce(shredded_at, ?) WHERE id = ?`,
          now(),
          id,
        );
      });
      if (database.eraseJournal()) return;
      throw new AppError('DATA_IN_USE', 'the keys are deleted but still stand in the journal', {
        hint: 'End other biofs commands on this data folder and run this one again.',
      });
    },
    addVault(address) {
      const text = formatNodeAddress(address);
      database.run('INSERT OR IGNORE INTO vaults VALUES (?, ?)', text, now());
    },
    listVaults: () =>
      database
        .all<{ address: string }>('SELECT address FROM vaults ORDER BY added_at, address')
        .map(({ address }) => parseNodeAddress(address)),
  };
}

const SELECT = 'SELECT id, state, manifest, added_at, stored_at, shredded_at FROM datasets';

/** A dataset as it is kept. */
export function storedDataset(parts: CustodyParts, id: Digest): StoredDataset | undefined {
  return parts.database.get<StoredDataset>(
    'SELECT manifest, state, header, part_header AS partHeader FROM datasets WHERE id = ?',
    id,
  );
}

/** Throws unless the headers hold the keys that the manifest promises (C1). */
export function checkHeaders(
  { crypto, network, key }: Pick<CustodyParts, 'crypto' | 'network' | 'key'>,
  manifest: Manifest,
  { header, partHeader }: OwnHeaders,
): void {
  const { dataKeys, editList } = openHeader(crypto, header, key);
  const groups = manifest.segmentsPerKey === null ? 1 : groupCount(manifest.plaintextBytes);
  if (dataKeys.length !== Math.max(groups, 1) || editList !== undefined) {
    throw badDataset(`${dataKeys.length} data keys for ${groups} groups of segments`);
  }
  const part = openHeader(crypto, partHeader, key);
  const [partKey] = part.dataKeys;
  if (partKey === undefined || part.dataKeys.length !== 1) throw badDataset('keys of its part');
  openPart(crypto, partKey, manifest.sealedPart, { network, segments: manifest.segments });
}

function countOf({ database }: CustodyParts, sql: string, ...values: readonly string[]): number {
  return database.get<{ count: number }>(sql, ...values)?.count ?? 0;
}

/** Throws USAGE when there would be too many. */
function limit(what: string, count: number, max: number): void {
  if (count <= max) return;
  throw new AppError('USAGE', `${count} ${what}, at most ${max}`, {
    hint: 'Use another data folder for more.',
  });
}

/** As an expression: `value ?? fail(error)`. */
export function fail(error: AppError): never {
  throw error;
}

export function notHere(id: Digest): AppError {
  return new AppError('NOT_FOUND', `no dataset ${id} in this custody`, {
    hint: 'List what there is with `biofs ls`.',
  });
}

function shredded(): AppError {
  return new AppError('CONFLICT', 'the dataset was shredded and does not come back', {
    hint: 'Put the file again: it becomes another dataset, with new keys.',
  });
}

function destroyed(id: Digest): AppError {
  return new AppError('KEY_NOT_HELD', `the keys of dataset ${id} were destroyed`, {
    hint: 'Nobody can read it any more. Put the file again if you still have it.',
  });
}

function badDataset(why: string): AppError {
  return new AppError('INPUT_MALFORMED', `the keys and the manifest do not agree: ${why}`, {
    hint: 'Seal the file again with `biofs put`.',
  });
}

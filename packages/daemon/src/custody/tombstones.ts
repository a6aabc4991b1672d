/**
 * Tombstones of a custody: the datasets that its person has signed to be removed for good, and the
 * vaults that may still have a copy.
 *
 * Invariants
 * T1  A tombstone stays, and a vault is told of it until it has said that no copy is there any more.
 */
import { AppError, type Digest } from '@helixmesh/protocol';
import {
  encodeDocument,
  formatNodeAddress,
  type NodeAddress,
  parseNodeAddress,
  type Signed,
  type Tombstone,
  verifyDocument,
} from '@helixmesh/protocol/sealing';
import type { CustodyParts } from './custody.ts';
import { fail, notHere } from './datasets.ts';

/** A copy that is to go. */
export interface Removal {
  readonly dataset: Digest;
  readonly vault: NodeAddress;
  /** Canonical bytes. */
  readonly tombstone: Uint8Array;
}

export interface Tombstones {
  /** Throws NOT_FOUND, and INPUT_MALFORMED for one that its owner has not signed. */
  addTombstone(signed: Signed<Tombstone>): void;
  /** Copies of shredded datasets that have a tombstone. */
  listRemovals(): Removal[];
  /** That vault has no copy any more. */
  noteRemoved(id: Digest, vault: NodeAddress): void;
}

export function tombstones({ database, crypto, network }: CustodyParts): Tombstones {
  return {
    addTombstone(signed) {
      const { object, owner } = signed.document;
      database.atomically(() => {
        const sql = 'SELECT owner FROM datasets WHERE id = ?';
        const known = database.get<{ owner: string }>(sql, object) ?? fail(notHere(object));
        const verdict = verifyDocument(crypto, signed, { network, signer: known.owner });
        if (verdict.status === 'invalid' || owner !== known.owner) throw notSigned();
        const add = 'INSERT OR IGNORE INTO tombstones (dataset, document) VALUES (?, ?)';
        database.run(add, object, encodeDocument(signed));
      });
    },
    listRemovals: () =>
      database
        .all<{ dataset: Digest; vault: string; document: Uint8Array }>(
          `SELECT dataset, vault, document FROM tombstones
           JOIN datasets ON datasets.id = dataset AND state = 'shredded'
           JOIN (SELECT dataset AS kept, vault FROM dataset_vaults) ON kept = dataset
           ORDER BY vault, dataset`,
        )
        .map(({ dataset, vault, document: tombstone }) => {
          return { dataset, vault: parseNodeAddress(vault), tombstone };
        }),
    noteRemoved(id, vault) {
      const sql = 'DELETE FROM dataset_vaults WHERE dataset = ? AND vault = ?';
      database.run(sql, id, formatNodeAddress(vault));
    },
  };
}

function notSigned(): AppError {
  return new AppError('INPUT_MALFORMED', 'the owner of the dataset has not signed the tombstone', {
    hint: 'Sign it with the wallet that has signed the manifest.',
  });
}

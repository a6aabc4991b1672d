/**
 * Where the copies of a dataset lie: the owner says where they shall, and each vault how its own is.
 * A vault that is named gets a permit to fetch what it lacks from the others.
 *
 * Invariants
 * V1  Only vaults that the owner has named hear anything, and each speaks of its own copy alone.
 * V2  No permit is signed for a place where the owner does not let copies lie: where a vault is its
 *     operator has to have signed.
 * V3  A shredded dataset is not copied any more.
 */
import { AppError, type Digest, type NodeId } from '@helixmesh/protocol';
import {
  encodeDocument,
  formatNodeAddress,
  isWithinZone,
  type KeyPair,
  type Manifest,
  NODE_RELEASE_MS_MAX,
  type NodeAddress,
  parseManifest,
  parseNodeAddress,
  REPLICA_PERMIT_TYPE,
  type ReplicaPermit,
  type ReplicaState,
  signWithKey,
  verifyDocument,
} from '@helixmesh/protocol/sealing';
import { parseZoneStatement, type ZoneStatement } from '@helixmesh/scheduler';
import type { CustodyParts } from './custody.ts';
import { fail, notHere } from './datasets.ts';
import { VAULTS_PER_DATASET_MAX } from './limits.ts';
import { parsed } from './release-policy.ts';

export interface Replica {
  readonly vault: NodeAddress;
  /** `named`: the copy shall lie there; else what its vault, or the owner's own command, has said. */
  readonly state: 'named' | ReplicaState;
  readonly saidAtMs: number | null;
}

export interface ReplicaAnnouncement {
  /** The node whose key has signed the request. */
  readonly caller: NodeId;
  readonly object: Digest;
  readonly state: ReplicaState;
  /** Canonical bytes of what its operator has signed. */
  readonly zoneStatement: Uint8Array | null;
  /** As the network's genesis document names them; none for any. */
  readonly operators: readonly string[];
  /** Ed25519 keys of the custodian that answers. */
  readonly custodian: KeyPair;
}

export type ReplicaRefusal = 'unknown' | 'residency';

export type ReplicaAnswer =
  | {
      readonly status: 'permitted';
      readonly vaults: readonly string[];
      /** Canonical bytes. */
      readonly permit: Uint8Array;
    }
  | { readonly status: 'refused'; readonly reason: ReplicaRefusal };

export interface Replicas {
  /** Whole copies first. */
  listReplicas(id: Digest): Replica[];
  /** The owner wants a copy there. Throws NOT_FOUND, CONFLICT for a dataset that no vault has. */
  nameReplica(id: Digest, vault: NodeAddress): void;
  /** Takes that back where no copy has begun to come; else nothing happens. */
  forgetReplica(id: Digest, vault: NodeAddress): void;
  /** A vault says how its copy is. */
  announceReplica(announcement: ReplicaAnnouncement): ReplicaAnswer;
}

export function replicas(parts: CustodyParts): Replicas {
  const { database, now } = parts;
  return {
    listReplicas: (id) =>
      rowsOf(parts, id).map(({ vault, state, said_at }) => replica(vault, state, said_at)),
    nameReplica: (id, vault) =>
      database.atomically(() => {
        const known = datasetOf(parts, id) ?? fail(notHere(id));
        if (known.state !== 'stored') throw notStored(known.state);
        const address = formatNodeAddress(vault);
        const sql = 'INSERT OR IGNORE INTO dataset_vaults (dataset, vault) VALUES (?, ?)';
        database.run(sql, id, address);
        database.run('INSERT OR IGNORE INTO vaults VALUES (?, ?)', address, now());
        if (rowsOf(parts, id).length > VAULTS_PER_DATASET_MAX) throw tooMany();
      }),
    forgetReplica(id, vault) {
      const sql = `DELETE FROM dataset_vaults WHERE dataset = ? AND vault = ? AND state = 'named'`;
      database.run(sql, id, formatNodeAddress(vault));
    },
    announceReplica: (announcement) => database.atomically(() => announced(parts, announcement)),
  };
}

interface Row {
  readonly vault: string;
  readonly state: Replica['state'];
  readonly said_at: number | null;
}

function rowsOf({ database }: CustodyParts, id: Digest): Row[] {
  return database.all<Row>(
    `SELECT vault, state, said_at FROM dataset_vaults WHERE dataset = ?
     ORDER BY CASE state WHEN 'stored' THEN 0 WHEN 'named' THEN 1 WHEN 'damaged' THEN 2 ELSE 3 END,
              vault`,
    id,
  );
}

function replica(vault: string, state: Replica['state'], saidAtMs: number | null): Replica {
  return { vault: parseNodeAddress(vault), state, saidAtMs };
}

interface DatasetRow {
  readonly state: 'pending' | 'stored' | 'shredded';
  readonly manifest: Uint8Array;
}

function datasetOf({ database }: CustodyParts, id: Digest): DatasetRow | undefined {
  return database.get<DatasetRow>('SELECT state, manifest FROM datasets WHERE id = ?', id);
}

function announced(parts: CustodyParts, announcement: ReplicaAnnouncement): ReplicaAnswer {
  const { database, now } = parts;
  const { caller, object, state } = announcement;
  const dataset = datasetOf(parts, object);
  const rows = rowsOf(parts, object);
  const own = rows.filter(({ vault }) => vault.startsWith(`${caller}@`));
  if (dataset === undefined || dataset.state === 'shredded' || own.length === 0) {
    return { status: 'refused', reason: 'unknown' };
  }
  const { document: manifest } = parseManifest(dataset.manifest);
  const zones = zonesOf(parts, announcement);
  const isLawful = mayLieIn(manifest, zones);
  // A copy that is there is there; one that may not come does not begin to.
  const noted = isLawful || state !== 'coming' ? own : [];
  for (const { vault } of noted) {
    const sql = 'UPDATE dataset_vaults SET state = ?, said_at = ? WHERE dataset = ? AND vault = ?';
    database.run(sql, state, now(), object, vault);
  }
  if (!isLawful) return { status: 'refused', reason: 'residency' };
  const others = rows.filter((row) => row.state !== 'coming' && !own.includes(row));
  return {
    status: 'permitted',
    vaults: others.map(({ vault }) => vault),
    permit: permitOf(parts, announcement, { manifest, zones }),
  };
}

/** Zones that an operator vouches for; none where nobody does (V2). */
function zonesOf(
  { crypto, network, now }: CustodyParts,
  { caller, zoneStatement, operators }: ReplicaAnnouncement,
): readonly string[] {
  const signed =
    zoneStatement === null ? undefined : parsed(() => parseZoneStatement(zoneStatement));
  if (signed === undefined) return [];
  const { nodeId, operator, zones, untilMs } = signed.document;
  const verdict = verifyDocument<ZoneStatement>(crypto, signed, { network, signer: operator });
  const isTrusted = operators.length === 0 || operators.includes(operator);
  const isOfCaller = nodeId === caller && now() < untilMs;
  return verdict.status === 'valid' && isTrusted && isOfCaller ? zones : [];
}

function mayLieIn({ residency }: Manifest, zones: readonly string[]): boolean {
  return residency?.some((allowed) => zones.some((zone) => isWithinZone(zone, allowed))) ?? true;
}

function permitOf(
  { crypto, network, now }: CustodyParts,
  { caller, object, custodian }: ReplicaAnnouncement,
  { manifest, zones }: { readonly manifest: Manifest; readonly zones: readonly string[] },
): Uint8Array {
  const issuedAtMs = now();
  const permit: ReplicaPermit = {
    type: REPLICA_PERMIT_TYPE,
    network,
    owner: manifest.owner,
    object,
    node: caller,
    zones: [...zones],
    issuedAtMs,
    untilMs: issuedAtMs + NODE_RELEASE_MS_MAX,
  };
  return encodeDocument(signWithKey(crypto, custodian.secretKey, permit));
}

/** What a vault is told. One that the owner has not named does not learn what there is. */
export function replicaRefused(reason: ReplicaRefusal): AppError {
  if (reason === 'unknown') {
    return new AppError('OBJECT_NOT_FOUND', 'the owner wants no copy of that object here', {
      hint: 'The owner names a vault with `biofs replicate`.',
    });
  }
  return new AppError('ACCESS_REFUSED', 'no operator has signed that copies may lie there', {
    hint: "Let the vault's operator sign its zones with `helixmesh node vouch`, and put the file there.",
    details: { reason },
  });
}

function notStored(state: string): AppError {
  return new AppError('CONFLICT', `the dataset is ${state}: no vault has a copy to take`, {
    hint: 'Store it first: run `biofs put` again.',
  });
}

function tooMany(): AppError {
  return new AppError('USAGE', `a dataset has at most ${VAULTS_PER_DATASET_MAX} copies`, {
    hint: 'Use the vaults that it has.',
  });
}

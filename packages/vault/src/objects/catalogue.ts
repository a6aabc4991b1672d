/**
 * The objects of a vault: bodies cut into blocks, and for each a record with its signed manifest.
 *
 * Invariants
 * O1  An object is seen once all of it is durable: blocks first, then the nodes above them, then its
 *     record. What a put that failed has left is swept (`collect.ts`).
 * O2  What is kept is what the owner signed: signature, sizes, segment tree and CID are checked while
 *     the body comes in.
 * O3  A deleted object does not come back: its record becomes the tombstone that its owner has signed.
 * O4  What comes in counts against its owner's quota before its first byte is kept; what is left of a
 *     body that failed counts until it is swept.
 *
 * Left out: who may read (`gate/`) and whether who asks is who they say (signed requests). Memory is
 * some 500 bytes an object.
 */
import { AppError, type Digest } from '@helixmesh/protocol';
import {
  type ByteSource,
  type Crypto,
  documentId,
  type Manifest,
  type Signed,
  type Tombstone,
  verifyDocument,
} from '@helixmesh/protocol/sealing';
import type { Blockstore } from '../blocks/blockstore.ts';
import { type Cid, parseCid } from '../blocks/cid.ts';
import { BLOCK_BYTES_MAX, PUTS_MAX, RECORDS_MAX } from '../limits.ts';
import { keepBody } from './keep-body.ts';
import { memoryPartialStore, type PartialStore } from './partial-store.ts';
import { makePins, type Pins } from './pins.ts';
import { type Amount, makeLedger, type QuotaOf, type QuotaRefusal } from './quota.ts';
import { decodeRecord, encodeRecord, type ObjectRecord, type StoredRecord } from './record.ts';
import type { RecordStore } from './record-store.ts';
import { makeResidues } from './residues.ts';
import { makeResumption } from './resumption.ts';
import { makeSealedObject, type SealedObject } from './sealed-object.ts';

export interface CatalogueOptions {
  readonly crypto: Crypto;
  readonly network: Digest;
  readonly blocks: Blockstore;
  readonly records: RecordStore;
  /** Of bodies that broke off; default: in memory, so that a restart forgets them. */
  readonly partials?: PartialStore;
  readonly quotaOf: QuotaOf;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface ObjectFacts {
  readonly id: Digest;
  readonly owner: string;
  readonly bodyBytes: number;
  readonly bodyCid: Cid;
  readonly tagsCid: Cid;
  /** Bytes of the list of nonces and tags. */
  readonly tagsBytes: number;
  readonly putAtMs: number;
}

export type PutRefusal =
  /** The manifest is of another network, or its owner has not signed it. */
  | 'network'
  | 'signature'
  | QuotaRefusal
  /** It was deleted: the owner signs a new manifest to put the same data again. */
  | 'deleted'
  /** It is coming in already, or being deleted. */
  | 'in_progress'
  /** As many bodies as may come in at once do. Later it can succeed. */
  | 'busy'
  /** As many objects as one vault may know. */
  | 'full';

export type PutOutcome =
  | { readonly status: 'stored' | 'known'; readonly id: Digest }
  | { readonly status: 'refused'; readonly reason: PutRefusal };

/** `ready`: a body would be read now. */
export type PutForecast = PutOutcome | { readonly status: 'ready'; readonly id: Digest };

/** `not_owner`: the owner of the object has not signed that, or for another network. */
export type DeleteOutcome = 'deleted' | 'absent' | 'not_owner' | 'in_progress';

export interface Catalogue {
  /**
   * Keeps an object; again is the same as once, and then the body is not read. Throws
   * CIPHERTEXT_INVALID when the body is not the one of the manifest, DISK_FULL, and what `body`
   * throws: nothing is seen of it then. `body` may be what comes behind `offset`, up to `heldBytes`;
   * throws LEASE_EXPIRED where what was held has gone meanwhile.
   */
  put(signed: Signed<Manifest>, body: ByteSource, offset?: number): Promise<PutOutcome>;
  /** How much of a body that broke off is here, bytes from its first one on. */
  heldBytes(signed: Signed<Manifest>): Promise<number>;
  /** Leaves of bodies that broke off since: their senders may come back. */
  partialLeaves(sinceMs: number): AsyncIterable<Cid>;
  /** Forgets bodies that broke off before then, when their blocks have been swept. */
  sweepPartials(beforeMs: number): Promise<void>;
  /** What `put` would say before it reads the body. */
  forecast(signed: Signed<Manifest>): PutForecast;
  /** Undefined when it is not there. Throws INPUT_MALFORMED when its record was damaged. */
  open(id: Digest): Promise<SealedObject | undefined>;
  stat(id: Digest): ObjectFacts | undefined;
  /** The objects of an owner, or all. */
  list(owner?: string): ObjectFacts[];
  /** Deletes an object because its owner has signed so; the tombstone stays in its place. */
  delete(signed: Signed<Tombstone>): Promise<DeleteOutcome>;
  /** What an owner's objects take, those that come in included, and what is left of those that failed. */
  used(owner: string): Amount;
  /** Objects whose records cannot be read; while there are some, nothing may be swept. */
  readonly damaged: readonly Digest[];
  readonly pins: Pins;
}

/** A body while it comes in. */
interface Coming {
  readonly body: ByteSource;
  readonly offset: number;
  readonly progress: { leaves: number };
}

/** Opens a catalogue: reads every record once. Throws what the stores throw. */
export async function openCatalogue(options: CatalogueOptions): Promise<Catalogue> {
  const { crypto, network, blocks, records, quotaOf, now } = options;
  const objects = new Map<Digest, ObjectFacts>();
  const tombstones = new Set<Digest>();
  const damaged: Digest[] = [];
  const ledger = makeLedger(quotaOf);
  const residues = makeResidues(ledger);
  const pins = makePins();
  const resumption = makeResumption(blocks, options.partials ?? memoryPartialStore(now));
  /** Owners of what is coming in or being deleted: one thing at a time. */
  const changing = new Map<Digest, string>();
  let puts = 0;

  async function readRecord(id: Digest): Promise<ObjectRecord | undefined> {
    const bytes = await records.read(id);
    return bytes && decodeRecord(crypto, id, bytes);
  }

  for await (const id of records.list()) {
    const record = await readRecord(id).catch((error) => {
      if (AppError.from(error).code !== 'INPUT_MALFORMED') throw error;
      damaged.push(id);
    });
    if (record?.state === 'deleted') tombstones.add(id);
    if (record?.state !== 'stored') continue;
    objects.set(id, factsOf(id, record));
    ledger.count(record.signed.document.owner, record.signed.document.bodyBytes);
  }

  function refusalOf(id: Digest): PutRefusal | undefined {
    if (tombstones.has(id)) return 'deleted';
    if (changing.has(id)) return 'in_progress';
    if (puts >= PUTS_MAX) return 'busy';
    if (objects.size + tombstones.size + puts >= RECORDS_MAX) return 'full';
    return undefined;
  }

  function forecast(signed: Signed<Manifest>, offset = Number.POSITIVE_INFINITY): PutForecast {
    const { owner, bodyBytes } = signed.document;
    const verdict = verifyDocument(crypto, signed, { network, signer: owner });
    if (verdict.status === 'invalid') return { status: 'refused', reason: verdict.reason };
    const { id } = verdict;
    if (objects.has(id) && !changing.has(id)) return { status: 'known', id };
    const goneOnWith = Math.min(offset, residues.resumableBytes(id));
    const reason = refusalOf(id) ?? ledger.refusalOf(owner, bodyBytes - goneOnWith);
    return reason === undefined ? { status: 'ready', id } : { status: 'refused', reason };
  }

  async function keep(
    id: Digest,
    signed: Signed<Manifest>,
    { body, offset, progress }: Coming,
  ): Promise<void> {
    const pin = pins.hold();
    try {
      const resumed = await resumption.begin(id, { offset, rest: body, pin });
      const { bytes, held } = resumed;
      const onLeaf = async (leaf: Cid) => {
        progress.leaves += 1;
        await resumed.onLeaf(leaf);
      };
      const keeper = { crypto, blocks, pin, held, onLeaf };
      const tagsCid = await keepBody(keeper, signed.document, bytes);
      const putAtMs = now();
      const record = { state: 'stored', signed, tagsCid, putAtMs } as const;
      await records.write(id, encodeRecord(record));
      objects.set(id, factsOf(id, record));
      const at = damaged.indexOf(id);
      if (at >= 0) damaged.splice(at, 1);
    } finally {
      pin.release();
    }
  }

  return {
    pins,
    damaged,
    used: ledger.used,
    stat: (id) => objects.get(id),
    list: (owner) => [...objects.values().filter((o) => owner === undefined || o.owner === owner)],

    forecast: (signed) => forecast(signed),
    heldBytes: async (signed) =>
      resumption.heldBytes(documentId(crypto, signed.document), signed.document),
    partialLeaves: resumption.leaves,
    async sweepPartials(beforeMs) {
      await resumption.sweep(beforeMs);
      residues.sweep(beforeMs);
    },

    async put(signed, body, offset = 0) {
      const { owner, bodyBytes } = signed.document;
      const expected = forecast(signed, offset);
      if (expected.status !== 'ready') return expected;
      const { id } = expected;
      const progress = { leaves: 0 };
      // Nothing was awaited since the forecast.
      ledger.count(owner, bodyBytes);
      residues.takeUp(id, offset);
      changing.set(id, owner);
      puts += 1;
      try {
        await keep(id, signed, { body, offset, progress });
        await resumption.end(id);
        return { status: 'stored', id };
      } catch (error) {
        ledger.release(owner, bodyBytes);
        const bytes = Math.min(Math.max(progress.leaves * BLOCK_BYTES_MAX, offset), bodyBytes);
        const isResumable = await resumption.end(id, error);
        residues.add({ id, owner, bytes, isResumable, atMs: now() });
        throw error;
      } finally {
        puts -= 1;
        changing.delete(id);
      }
    },

    async open(id) {
      const facts = objects.get(id);
      if (facts === undefined) return undefined;
      const record = await readRecord(id);
      // Deleted while it was read.
      if (record?.state !== 'stored') return undefined;
      return makeSealedObject(blocks, facts, record.signed);
    },

    async delete(signed) {
      const { object: id, owner } = signed.document;
      const facts = objects.get(id);
      const keeper = facts?.owner ?? changing.get(id);
      if (keeper === undefined) return 'absent';
      const verdict = verifyDocument(crypto, signed, { network, signer: keeper });
      if (verdict.status === 'invalid' || owner !== keeper) return 'not_owner';
      // What comes in is there soon, and then it can go.
      if (facts === undefined || changing.has(id)) return 'in_progress';
      changing.set(id, keeper);
      try {
        await records.write(id, encodeRecord({ state: 'deleted', signed, deletedAtMs: now() }));
        tombstones.add(id);
        objects.delete(id);
        ledger.release(owner, facts.bodyBytes);
        return 'deleted';
      } finally {
        changing.delete(id);
      }
    },
  };
}

function factsOf(id: Digest, record: StoredRecord): ObjectFacts {
  const { owner, bodyBytes, bodyCid, plaintextBytes } = record.signed.document;
  return {
    id,
    owner,
    bodyBytes,
    bodyCid: parseCid(bodyCid),
    tagsCid: parseCid(record.tagsCid),
    tagsBytes: bodyBytes - plaintextBytes,
    putAtMs: record.putAtMs,
  };
}

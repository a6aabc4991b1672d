/**
 * The reads of an attempt in the clear: the owner's custodian releases their keys to this node, for
 * this attempt, and vaults give the bodies. Nobody is trusted with more: manifests are verified
 * against the id that the requester has signed, and every segment before a byte of it is used. A body
 * that this node has fetched before is not fetched again; its keys are asked for all the same.
 */
import {
  bionfsVault,
  openComparedObject,
  openObject,
  readObject,
  segmentKeys,
  type Vault,
} from '@helixmesh/client/biofs';
import { AppError } from '@helixmesh/protocol';
import {
  type Crypto,
  fromBase64,
  type Manifest,
  openHeader,
  openPart,
  type Purpose,
  parseManifest,
  parseNodeRelease,
  type Range,
  toHex,
  verifyDocument,
} from '@helixmesh/protocol/sealing';
import type { BodyCache, BodyReading } from './body-cache.ts';
import type { EnclosedReads } from './enclosed-analysis.ts';
import {
  PART_BYTES,
  READ_CONNECTIONS,
  RELEASE_LEFT_MS_MIN,
  SCRATCH_PER_READ_BYTE,
} from './limits.ts';
import { channelTo, type NodeChannelOptions } from './node-channel.ts';
import type { Proof, SealedReads } from './work-source.ts';

export interface SealedReadsOptions extends NodeChannelOptions {
  readonly crypto: Crypto;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Bodies that were fetched before; null where none are kept. */
  readonly bodies?: () => BodyCache | null;
}

/** Opens the reads of one attempt; throws what custodian and vaults answer. */
export function readsOpener(options: SealedReadsOptions) {
  return async (
    reads: readonly SealedReads[],
    proof: () => Promise<Proof>,
    signal: AbortSignal,
  ): Promise<readonly EnclosedReads[]> => {
    const opened = await Promise.all(reads.map((one) => openOne(options, one, { proof, signal })));
    const bytes = opened.reduce((sum, { sizeBytes = 0 }) => sum + sizeBytes, 0);
    // Kept bodies have no claim on the room that an attempt needs.
    await options.bodies?.()?.makeWay(bytes * SCRATCH_PER_READ_BYTE);
    return opened;
  };
}

interface Released {
  readonly manifest: Manifest;
  readonly dataKeys: readonly Uint8Array[];
  readonly fileName: string;
  readonly purpose: Purpose;
  readonly release: Uint8Array;
  /** End of the release, ms since 1970. */
  readonly untilMs: number;
  readonly grant: Uint8Array | null;
}

interface Asking {
  readonly proof: () => Promise<Proof>;
  readonly signal: AbortSignal;
}

async function openOne(
  options: SealedReadsOptions,
  reads: SealedReads,
  asking: Asking,
): Promise<EnclosedReads> {
  const released = await askCustodian(options, reads, asking);
  const open = () => plaintextOf(options, reads, { released, asking });
  const { plaintextBytes: sizeBytes } = released.manifest;
  return { fileName: released.fileName, sizeBytes, open };
}

async function askCustodian(
  options: SealedReadsOptions,
  { dataset, custodian }: SealedReads,
  { proof, signal }: Asking,
): Promise<Released> {
  const { crypto, network, identity } = options;
  const channel = channelTo(options, custodian);
  try {
    const encryptionKey = toHex(identity.encryptionKey.publicKey);
    const body = { ...(await proof()), dataset, encryptionKey };
    const reply = await channel.call('releaseForTask', { params: {}, body, signal });
    const signed = parseManifest(fromBase64(reply.manifest, 'a manifest'));
    const { document: manifest } = signed;
    const verdict = verifyDocument(crypto, signed, { network, signer: manifest.owner });
    if (verdict.status === 'invalid' || verdict.id !== dataset) throw otherObject();
    const key = identity.encryptionKey;
    const { dataKeys } = openHeader(crypto, fromBase64(reply.header, 'a header'), key);
    const part = openHeader(crypto, fromBase64(reply.partHeader, 'a header'), key);
    const [partKey] = part.dataKeys;
    if (partKey === undefined) throw otherObject();
    const { fileName } = openPart(crypto, partKey, manifest.sealedPart, manifest);
    const release = fromBase64(reply.release, 'a release');
    const { purpose, untilMs } = parseNodeRelease(release).document;
    const grant = reply.grant === null ? null : fromBase64(reply.grant, 'a grant');
    return { manifest, dataKeys, fileName, purpose, release, untilMs, grant };
  } finally {
    channel.close();
  }
}

/** In parts, each under a release that is still young: a long fetch outlives the one it began with. */
async function* plaintextOf(
  options: SealedReadsOptions,
  reads: SealedReads,
  { released: first, asking }: { readonly released: Released; readonly asking: Asking },
): AsyncGenerator<Uint8Array> {
  const { manifest, purpose } = first;
  const { plaintextBytes } = manifest;
  using kept = options.bodies?.()?.reading(manifest, purpose.zone) ?? null;
  let released = first;
  for (let start = 0; start < plaintextBytes; start += PART_BYTES) {
    if (released.untilMs - options.now() < RELEASE_LEFT_MS_MIN) {
      released = await askCustodian(options, reads, asking);
    }
    const range = { start, end: Math.min(start + PART_BYTES, plaintextBytes) };
    yield* partOf(options, reads, { released, kept, range, signal: asking.signal });
  }
}

interface Part {
  readonly released: Released;
  readonly kept: BodyReading | null;
  readonly range: Range;
  readonly signal: AbortSignal;
}

async function* partOf(
  options: SealedReadsOptions,
  { dataset, vaults: addresses }: SealedReads,
  { released, kept, range, signal }: Part,
): AsyncGenerator<Uint8Array> {
  const { manifest, dataKeys, purpose, release, grant } = released;
  const channels = addresses.map((address) => channelTo(options, address));
  const vaults = channels.map(({ bionfs }, i): Vault => {
    const vault = bionfsVault({ name: addresses[i] ?? '', bionfs });
    return kept?.through(vault) ?? vault;
  });
  const source = {
    crypto: options.crypto,
    manifest,
    keyOf: segmentKeys(manifest, { dataKeys }, null),
    vaults,
    request: {
      objectId: dataset,
      purpose,
      ranges: [],
      grants: grant === null ? [] : [grant],
      grantSegments: [],
      nodeRelease: release,
    },
    signal,
  };
  try {
    const reader = kept === null ? await openObject(source) : openComparedObject(source);
    try {
      yield* readObject(reader, [range], READ_CONNECTIONS);
    } finally {
      await reader.close();
    }
  } finally {
    for (const channel of channels) channel.close();
  }
}

function otherObject(): AppError {
  return new AppError('CIPHERTEXT_INVALID', 'the custodian answered for another object', {
    hint: 'Ask the owner of the data to look at their custodian.',
  });
}

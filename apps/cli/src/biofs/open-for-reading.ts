/**
 * Opening a dataset for this person: keys from their own custody, or from the custodian of whoever
 * has granted it; the body from a vault. What others send is checked against the owner's signature.
 */
import {
  commonRanges,
  grantedRanges,
  type KeyOf,
  type ObjectReader,
  openObject,
  partOf,
  segmentKeys,
} from '@helixmesh/client/biofs';
import type { ReceivedGrant } from '@helixmesh/daemon/custody';
import { AppError, type Digest } from '@helixmesh/protocol';
import {
  bodyRange,
  custodianAddress,
  documentId,
  encodeDocument,
  fromBase64,
  type Manifest,
  type NodeAddress,
  openHeader,
  type Purpose,
  parseManifest,
  parseNodeAddress,
  type Range,
  type SealedPart,
  segmentsOfBytes,
  toBase64,
} from '@helixmesh/protocol/sealing';
import type { FoundDataset } from './find-dataset.ts';
import type { Person } from './person.ts';

export interface ReadableDataset {
  readonly id: Digest;
  readonly manifest: Manifest;
  /** Undefined under a grant of regions. */
  readonly part: SealedPart | undefined;
  /** Bytes of the plaintext that this person may read. */
  readonly readable: readonly Range[];
  /** Opens `ranges`, which lie in `readable`, at a vault. */
  open(ranges: readonly Range[]): Promise<ObjectReader>;
}

/** What the custody or custodian gives. */
interface Keys {
  readonly id: Digest;
  readonly manifest: Manifest;
  readonly part: SealedPart | undefined;
  readonly keyOf: KeyOf;
  readonly readable: readonly Range[];
  readonly vaults: readonly NodeAddress[];
  readonly grants: readonly Uint8Array[];
  readonly grantSegments: readonly Uint8Array[];
}

/** Throws KEY_NOT_HELD, ACCESS_REFUSED, CUSTODIAN_OFFLINE. */
export async function openDataset(
  person: Person,
  found: FoundDataset,
  purpose: Purpose,
): Promise<ReadableDataset> {
  const keys =
    found.kind === 'own'
      ? ownKeys(person, found.dataset.id)
      : await firstThatHolds(person, found.received, purpose);
  const { id, manifest, part, readable } = keys;
  return {
    id,
    manifest,
    part,
    readable,
    open: (ranges) =>
      openObject({
        crypto: person.crypto,
        manifest,
        keyOf: keys.keyOf,
        vaults: keys.vaults.map((address) => person.vault(address)),
        request: {
          objectId: id,
          purpose,
          ranges: bodyRanges(manifest, ranges, readable),
          grants: keys.grants,
          grantSegments: keys.grantSegments,
        },
        signal: person.signal,
      }),
  };
}

/** The part of `readable` that is wanted; all of it where nothing is said. Throws ACCESS_REFUSED. */
export function wantedRanges(
  { readable, manifest }: Pick<ReadableDataset, 'readable' | 'manifest'>,
  wanted: Range | undefined,
): readonly Range[] {
  if (wanted === undefined) return readable;
  if (wanted.end > manifest.plaintextBytes) {
    throw new AppError('USAGE', `the dataset has ${manifest.plaintextBytes} bytes`, {
      hint: 'Ask for bytes within it.',
    });
  }
  const common = commonRanges([wanted], readable);
  const [only] = common;
  if (common.length === 1 && only?.start === wanted.start && only.end === wanted.end) return common;
  throw new AppError('ACCESS_REFUSED', 'the grant does not reach over these bytes', {
    hint: 'Leave out --bytes to get all that was granted.',
  });
}

/** None stands for the whole body. */
function bodyRanges(
  { plaintextBytes, bodyBytes }: Manifest,
  ranges: readonly Range[],
  readable: readonly Range[],
): readonly Range[] {
  const [first] = ranges;
  const isWhole = first?.start === 0 && first.end === plaintextBytes;
  if (isWhole || readable.length === 0) return [];
  return ranges.map((range) => bodyRange(segmentsOfBytes(range), bodyBytes));
}

function ownKeys({ crypto, custody, identity }: Person, id: Digest): Keys {
  const dataset = custody.getDataset(id);
  if (dataset === undefined) throw new AppError('INTERNAL', 'a dataset was lost');
  const { document: manifest } = dataset.manifest;
  const reader = identity.encryptionKey;
  const headers = custody.openOwn(id, reader.publicKey);
  return {
    id,
    manifest,
    part: partOf(crypto, manifest, headers, reader),
    keyOf: segmentKeys(manifest, openHeader(crypto, headers.header, reader), null),
    readable: whole(manifest),
    vaults: dataset.vaults,
    grants: [],
    grantSegments: [],
  };
}

/** Of several grants some may have ended: the next one is tried when one is refused. */
async function firstThatHolds(
  person: Person,
  received: readonly ReceivedGrant[],
  purpose: Purpose,
): Promise<Keys> {
  let refusal: unknown;
  for (const one of received) {
    try {
      return await grantedKeys(person, one, purpose);
    } catch (error) {
      if (AppError.from(error).code !== 'ACCESS_REFUSED') throw error;
      refusal ??= error;
    }
  }
  throw refusal;
}

async function grantedKeys(
  person: Person,
  { invitation }: ReceivedGrant,
  purpose: Purpose,
): Promise<Keys> {
  const { crypto, identity, login, signal } = person;
  const grant = encodeDocument(invitation.grant);
  const id = invitation.grant.document.dataset;
  const reply = await person
    .channel(custodianAddress(invitation.custodian.document))
    .call('releaseHeader', {
      params: {},
      body: { dataset: id, grant: toBase64(grant), purpose, encryptionKey: login.encryptionKey },
      signal,
    })
    .catch(saidOffline);
  const { document: manifest } = parseManifest(fromBase64(reply.manifest, 'a manifest'));
  // The invitation's was verified when it was accepted.
  if (documentId(crypto, manifest) !== id) throw otherDataset();
  const reader = identity.encryptionKey;
  const content = openHeader(crypto, fromBase64(reply.header, 'a header'), reader);
  const { segments, grantSegments, partHeader } = reply;
  const addresses = [...new Set([...reply.vaults, ...invitation.vaults])];
  return {
    id,
    manifest,
    part:
      partHeader === null
        ? undefined
        : partOf(crypto, manifest, { partHeader: fromBase64(partHeader, 'a header') }, reader),
    keyOf: segmentKeys(manifest, content, segments),
    readable:
      segments === null
        ? whole(manifest)
        : grantedRanges(content.editList ?? [], segments, manifest.plaintextBytes),
    vaults: addresses.map(parseNodeAddress),
    grants: [grant],
    grantSegments: grantSegments === null ? [] : [fromBase64(grantSegments, 'segments')],
  };
}

function whole({ plaintextBytes }: Manifest): readonly Range[] {
  return plaintextBytes === 0 ? [] : [{ start: 0, end: plaintextBytes }];
}

function saidOffline(thrown: unknown): never {
  const error = AppError.from(thrown);
  if (error.code !== 'PEER_UNREACHABLE') throw error;
  throw new AppError('CUSTODIAN_OFFLINE', "the owner's custodian does not answer", {
    hint: 'Try again when the owner is online: nobody else can release the keys.',
    cause: error,
  });
}

function otherDataset(): AppError {
  return new AppError('CIPHERTEXT_INVALID', 'the custodian has answered for another dataset', {
    hint: 'Ask the owner for the grant again.',
  });
}

/**
 * A vault as those see it who put and read objects. The adapter to BioNFS is `bionfs-vault.ts`, the
 * twin in memory `testing/memory-vault.ts`. Nothing that comes from a vault is trusted.
 */
import type { Digest } from '@helixmesh/protocol';
import type { ByteSource, Purpose, Range } from '@helixmesh/protocol/sealing';

export interface ReadRequest {
  readonly objectId: Digest;
  readonly purpose: Purpose;
  /** Bytes of the body; none for all of it. */
  readonly ranges: readonly Range[];
  /** Canonical bytes of signed grants, and of the custodian's statements on their segments. */
  readonly grants: readonly Uint8Array[];
  readonly grantSegments: readonly Uint8Array[];
  /** Of a node that reads for an attempt: the custodian's release to it. */
  readonly nodeRelease?: Uint8Array;
  /** Of a vault that fetches a copy: the custodian's permit. */
  readonly replicaPermit?: Uint8Array;
}

/** An object that a vault has opened for its caller. */
export interface OpenBody {
  /** Bytes of the body, within the ranges that were asked for. */
  read(range: Range, signal: AbortSignal): ByteSource;
  /** Nonce and tag of every segment, 28 bytes each. */
  tags(signal: AbortSignal): ByteSource;
  /** The nodes above the leaves of the body, a piece for each. */
  nodes(signal: AbortSignal): ByteSource;
  close(): Promise<void>;
}

export interface Vault {
  /** The node's address, for people. */
  readonly name: string;
  /** Throws ACCESS_REFUSED, LEASE_EXPIRED, and what the connection throws. */
  open(request: ReadRequest, signal: AbortSignal): Promise<OpenBody>;
  /**
   * Puts an object; `body` is asked for only where the vault does not have all of it yet, and from
   * the byte on that the vault names. `manifest` is the signed document's canonical bytes.
   */
  put(
    manifest: Uint8Array,
    body: (fromByte: number) => ByteSource,
    signal: AbortSignal,
  ): Promise<{ readonly status: 'stored' | 'known' }>;
  /**
   * Deletes the object that its owner has signed a tombstone for (canonical bytes); true when it was
   * there.
   */
  remove(objectId: Digest, tombstone: Uint8Array, signal: AbortSignal): Promise<boolean>;
}

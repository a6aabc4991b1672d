/** A vault that is reached by BioNFS. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import type { Client } from '@connectrpc/connect';
import { AppError } from '@helixmesh/protocol';
import {
  type BioNfs,
  type Chunk,
  type OpenRequestSchema,
  WriteRequestSchema,
} from '@helixmesh/protocol/bionfs';
import { type ByteSource, inPieces, type Range } from '@helixmesh/protocol/sealing';
import { WRITE_CHUNK_BYTES } from '../limits.ts';
import type { OpenBody, ReadRequest, Vault } from './vault-port.ts';

/** Shares of a lease after which it is renewed: two renewals may be lost. */
const RENEWALS_PER_LEASE = 3;

export interface BionfsVaultOptions {
  /** The node's address, for people. */
  readonly name: string;
  /** Signs each request. */
  readonly bionfs: Client<typeof BioNfs>;
}

export function bionfsVault({ name, bionfs }: BionfsVaultOptions): Vault {
  return {
    name,
    async open(request, signal) {
      const { stateId, leaseMs } = await bionfs.open(openMessage(request), { signal });
      return openBody(bionfs, stateId, leaseMs);
    },
    async put(manifest, body, signal) {
      const { isKnown, stateId, objectId } = await bionfs.openPut({ manifest }, { signal });
      if (isKnown) return { status: 'known' };
      const written = await bionfs.write(writeMessages(stateId, body()), { signal });
      if (written.objectId !== objectId) throw otherObject();
      return { status: 'stored' };
    },
    async remove(objectId, signal) {
      try {
        await bionfs.remove({ objectId }, { signal });
        return true;
      } catch (error) {
        if (AppError.from(error).code !== 'OBJECT_NOT_FOUND') throw error;
        return false;
      }
    },
  };
}

function openMessage(request: ReadRequest): MessageInitShape<typeof OpenRequestSchema> {
  return {
    objectId: request.objectId,
    purpose: request.purpose,
    ranges: request.ranges.map(rangeMessage),
    grants: [...request.grants],
    grantSegments: [...request.grantSegments],
    ...(request.nodeRelease && { nodeRelease: request.nodeRelease }),
  };
}

function openBody(bionfs: Client<typeof BioNfs>, stateId: Uint8Array, leaseMs: number): OpenBody {
  const timer = setInterval(() => {
    // A renewal that failed shows at the next read.
    bionfs.renew({ stateId }).catch(ignore);
  }, leaseMs / RENEWALS_PER_LEASE);
  timer.unref();
  return {
    read: (range, signal) =>
      dataOf(bionfs.read({ stateId, range: rangeMessage(range) }, { signal })),
    tags: (signal) => dataOf(bionfs.readTags({ stateId }, { signal })),
    async close() {
      clearInterval(timer);
      await bionfs.close({ stateId });
    },
  };
}

async function* dataOf(chunks: AsyncIterable<Chunk>): AsyncGenerator<Uint8Array> {
  for await (const { data } of chunks) yield data;
}

/** The state id goes in the first message alone. */
async function* writeMessages(stateId: Uint8Array, body: ByteSource) {
  yield create(WriteRequestSchema, { stateId });
  for await (const data of inPieces(body, WRITE_CHUNK_BYTES)) {
    yield create(WriteRequestSchema, { data });
  }
}

function rangeMessage({ start, end }: Range) {
  return { start: BigInt(start), end: BigInt(end) };
}

function ignore(): void {}

function otherObject(): AppError {
  return new AppError('CIPHERTEXT_INVALID', 'the vault has stored the body under another id', {
    hint: 'Put the file into another vault, and report this one to its operator.',
  });
}

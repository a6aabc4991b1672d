/**
 * A vault that is reached by BioNFS. A body that broke off is announced again, and goes on behind what
 * the vault has of it.
 */
import { setTimeout as delay } from 'node:timers/promises';
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
import { RETRY_WAIT_MS, WRITE_CHUNK_BYTES, WRITE_TRIES_MAX } from '../limits.ts';
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
      for (let tries = 1, best = -1; ; tries += 1) {
        try {
          const opened = await bionfs.openPut({ manifest }, { signal });
          if (opened.isKnown) return { status: tries === 1 ? 'known' : 'stored' };
          const offset = Number(opened.offset);
          if (offset > best) [tries, best] = [1, offset];
          const messages = writeMessages(opened.stateId, offset, body(offset));
          const written = await bionfs.write(messages, { signal });
          if (written.objectId !== opened.objectId) throw otherObject();
          return { status: 'stored' };
        } catch (error) {
          signal.throwIfAborted();
          if (tries >= WRITE_TRIES_MAX || !isWorthAnother(error)) throw error;
          await delay(RETRY_WAIT_MS * 2 ** (tries - 1), undefined, { signal });
        }
      }
    },
    async remove(objectId, tombstone, signal) {
      try {
        await bionfs.remove({ objectId, tombstone }, { signal });
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
    ...(request.replicaPermit && { replicaPermit: request.replicaPermit }),
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
    nodes: (signal) => dataOf(bionfs.readNodes({ stateId }, { signal })),
    async close() {
      clearInterval(timer);
      await bionfs.close({ stateId });
    },
  };
}

async function* dataOf(chunks: AsyncIterable<Chunk>): AsyncGenerator<Uint8Array> {
  for await (const { data } of chunks) yield data;
}

/** What passes by itself: a vault that restarts, or has not yet noticed that we were gone. */
function isWorthAnother(error: unknown): boolean {
  const { code } = AppError.from(error);
  return code === 'PEER_UNREACHABLE' || code === 'BUSY' || code === 'LEASE_EXPIRED';
}

/** The state id and where the body goes on stand in the first message alone. */
async function* writeMessages(stateId: Uint8Array, offset: number, body: ByteSource) {
  yield create(WriteRequestSchema, { stateId, offset: BigInt(offset) });
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

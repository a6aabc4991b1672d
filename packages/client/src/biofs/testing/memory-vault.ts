/** A vault in memory behind the port, and one that misbehaves as a test says. */
import { AppError, type Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { type ByteSource, parseManifest, parseTombstone } from '@helixmesh/protocol/sealing';
import {
  type Catalogue,
  memoryBlockstore,
  memoryRecordStore,
  openCatalogue,
} from '@helixmesh/vault';
import type { OpenBody, Vault } from '../vault-port.ts';

export const network = `sha256:${'7'.repeat(64)}` as Digest;

export interface MemoryVault extends Vault {
  readonly catalogue: Catalogue;
  /** Bodies that came in, reads that were asked for. */
  readonly counts: {
    puts: number;
    putBytes: number;
    opens: number;
    reads: number;
    readBytes: number;
  };
}

export async function memoryVault(name = 'memory'): Promise<MemoryVault> {
  const now = () => 1_700_000_000_000;
  const crypto = nodeCrypto;
  const catalogue = await openCatalogue({
    crypto,
    network,
    blocks: memoryBlockstore({ crypto, now, capacityBytes: 2 ** 30, blocks: new Map() }),
    records: memoryRecordStore(new Map()),
    quotaOf: () => ({ bytes: 2 ** 30, objects: 1_000 }),
    now,
  });
  const counts = { puts: 0, putBytes: 0, opens: 0, reads: 0, readBytes: 0 };
  return {
    name,
    catalogue,
    counts,
    async open({ objectId }) {
      counts.opens += 1;
      const object = await catalogue.open(objectId);
      if (object === undefined) {
        throw new AppError('OBJECT_NOT_FOUND', 'no such object', { hint: 'Ask another vault.' });
      }
      return {
        async *read(range) {
          counts.reads += 1;
          for await (const chunk of object.read(range)) {
            counts.readBytes += chunk.length;
            yield chunk;
          }
        },
        tags: () => object.tags(),
        nodes: () => object.nodes(),
        close: async () => undefined,
      };
    },
    async put(manifest, body) {
      async function* counted() {
        counts.puts += 1;
        for await (const chunk of body(offset)) {
          counts.putBytes += chunk.length;
          yield chunk;
        }
      }
      const signed = parseManifest(manifest);
      const offset = await catalogue.heldBytes(signed);
      const outcome = await catalogue.put(signed, counted(), offset);
      if (outcome.status === 'refused') throw new AppError('ACCESS_REFUSED', outcome.reason);
      return { status: outcome.status };
    },
    remove: async (_, tombstone) =>
      (await catalogue.delete(parseTombstone(tombstone))) === 'deleted',
  };
}

/** `vault`, whose opened objects are what `change` makes of them. */
export function changedVault(vault: Vault, change: (body: OpenBody) => Partial<OpenBody>): Vault {
  return {
    ...vault,
    name: `changed ${vault.name}`,
    async open(request, signal) {
      const body = await vault.open(request, signal);
      return { ...body, ...change(body) };
    },
  };
}

export async function collect(source: ByteSource): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Uint8Array.from(Buffer.concat(chunks));
}

/** `size` bytes that do not repeat soon. */
export function someBytes(size: number, seed = 0): Uint8Array {
  const bytes = new Uint8Array(size);
  let state = (size * 2_654_435_761 + seed * 40_503 + 1) >>> 0;
  for (let i = 0; i < size; i += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** `bytes` in pieces of `size`. */
export async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/**
 * Files that are stored already: the same name, content and terms. Each dataset's sealed part is opened
 * once, and only where a file has its size: ten thousand small files are compared in seconds.
 */
import { canonicalJson } from '@helixmesh/protocol';
import { digestFrom, makeX25519KeyPair, type SealedPart } from '@helixmesh/protocol/sealing';
import {
  type KeptDataset,
  type ObjectTerms,
  type PreparedObject,
  type PutContext,
  partOf,
  type SourceFile,
  termsOf,
} from './put-object.ts';

export interface SameFiles {
  /**
   * The dataset of this owner with the same content, name and terms, where there is one that was
   * not shredded. The file is read only when a dataset has its size.
   */
  find(file: SourceFile): Promise<PreparedObject | undefined>;
  /** Prepared since the files were gathered. */
  add(object: PreparedObject): void;
}

interface Candidate extends Pick<KeptDataset, 'id' | 'manifest'> {
  part: SealedPart | undefined;
}

/** Datasets that the keeper has now, with those terms. */
export function gatherSame(context: PutContext, terms: ObjectTerms): SameFiles {
  const { crypto, keeper, wallet, signal } = context;
  const wanted = canonicalJson(termsOf(terms));
  const bySize = new Map<number, Candidate[]>();
  const reader = makeX25519KeyPair(crypto);

  function add(candidate: Candidate): void {
    const { plaintextBytes } = candidate.manifest.document;
    const others = bySize.get(plaintextBytes);
    if (others === undefined) bySize.set(plaintextBytes, [candidate]);
    else others.push(candidate);
  }

  for (const { id, manifest, state } of keeper.listDatasets()) {
    const { document } = manifest;
    const isOwn = state !== 'shredded' && document.owner === wallet.address;
    if (isOwn && canonicalJson(termsOf(document)) === wanted)
      add({ id, manifest, part: undefined });
  }

  return {
    add,
    async find(file) {
      const candidates = bySize.get(file.sizeBytes) ?? [];
      if (candidates.length === 0) return undefined;
      const hasher = crypto.createSha256();
      for await (const chunk of file.read()) {
        signal.throwIfAborted();
        hasher.update(chunk);
      }
      const digest = digestFrom(hasher.digest());
      for (const candidate of candidates) {
        const { id, manifest } = candidate;
        candidate.part ??= partOf(
          crypto,
          manifest.document,
          keeper.openOwn(id, reader.publicKey),
          reader,
        );
        const { part } = candidate;
        if (part.plaintextDigest === digest && part.fileName === file.fileName) {
          return { id, manifest, part };
        }
      }
      return undefined;
    },
  };
}

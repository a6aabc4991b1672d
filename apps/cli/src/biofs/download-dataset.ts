/** A dataset into a file. */
import { basename, resolve } from 'node:path';
import { download, totalOf } from '@helixmesh/client/biofs';
import type { Digest } from '@helixmesh/protocol';
import type { Purpose, Range } from '@helixmesh/protocol/sealing';
import { findDataset, shortId } from './find-dataset.ts';
import { openDataset, wantedRanges } from './open-for-reading.ts';
import type { Person } from './person.ts';
import type { TransferProgress } from './transfer-progress.ts';

export interface DownloadDatasetOptions {
  readonly purpose: Purpose;
  readonly bytes: Range | undefined;
  /** Absolute; undefined for the file's own name in the working folder. */
  readonly path: string | undefined;
  readonly isReplacing: boolean;
  readonly connections: number;
  readonly progressOf: (label: string, totalBytes: number) => TransferProgress;
}

export interface DownloadedDataset {
  readonly dataset: Digest;
  readonly path: string;
  readonly sizeBytes: number;
  /** Bytes that an earlier try had left. */
  readonly keptBytes: number;
}

export async function downloadDataset(
  person: Person,
  text: string,
  options: DownloadDatasetOptions,
): Promise<DownloadedDataset> {
  const dataset = await openDataset(person, findDataset(person.custody, text), options.purpose);
  const ranges = wantedRanges(dataset, options.bytes);
  // The name comes from somebody else: its schema has no slashes, and this takes no chance.
  const ownName = basename(dataset.part?.fileName ?? `${shortId(dataset.id)}.part`);
  const path = options.path ?? resolve(ownName);
  const sizeBytes = totalOf(ranges);
  const progress = options.progressOf(basename(path), sizeBytes);
  const reader = await dataset.open(ranges);
  try {
    const isWhole = sizeBytes === dataset.manifest.plaintextBytes;
    const done = await download({
      reader,
      ranges,
      path,
      isReplacing: options.isReplacing,
      connections: options.connections,
      ...(isWhole && dataset.part !== undefined ? { digest: dataset.part.plaintextDigest } : {}),
      onProgress: progress.update,
    });
    progress.done();
    return { dataset: dataset.id, ...done };
  } finally {
    await reader.close();
  }
}

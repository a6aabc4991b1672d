/** A dataset into a file. */
import { basename, resolve } from 'node:path';
import { download, totalOf, writeWhole } from '@helixmesh/client/biofs';
import { AppError, type Digest } from '@helixmesh/protocol';
import type { Purpose, Range, Region } from '@helixmesh/protocol/sealing';
import { type FoundDataset, findDataset, idOf, shortId } from './find-dataset.ts';
import { openDataset, wantedRanges } from './open-for-reading.ts';
import type { Person } from './person.ts';
import { readRegions } from './read-regions.ts';
import type { TransferProgress } from './transfer-progress.ts';

export interface DownloadDatasetOptions {
  readonly purpose: Purpose;
  readonly bytes: Range | undefined;
  readonly regions: readonly Region[] | undefined;
  /** Of the index for `regions`, where it is not found by its name. */
  readonly index: string | undefined;
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
  const found = findDataset(person.custody, text);
  const { regions } = options;
  if (regions !== undefined) return downloadRegions(person, found, { ...options, regions });
  const dataset = await openDataset(person, found, options.purpose);
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

/** The records of some regions, with the header. */
async function downloadRegions(
  person: Person,
  found: FoundDataset,
  options: DownloadDatasetOptions & { readonly regions: readonly Region[] },
): Promise<DownloadedDataset> {
  const { path, isReplacing } = options;
  if (path === undefined) {
    throw new AppError('USAGE', 'a part of a dataset has no name of its own', {
      hint: 'Name the new file with --out.',
    });
  }
  const piece = readRegions(person, found, options);
  const { sizeBytes } = await writeWhole(piece, { path, isReplacing });
  return { dataset: idOf(found), path, sizeBytes, keptBytes: 0 };
}

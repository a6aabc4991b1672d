/**
 * The records of some regions of a dataset, BAM or bgzipped VCF, by an index that is sealed as a dataset
 * of its own or lies in a file; under a grant of regions from the granted bytes alone.
 */
import { readFile, stat } from 'node:fs/promises';
import { type ObjectReader, readObject } from '@helixmesh/client/biofs';
import {
  bgzipped,
  INDEX_BYTES_MAX,
  parseRegionIndex,
  type RangedBytes,
  type RegionIndex,
  recordsByIndex,
  recordsOfGrant,
  regionBytes,
} from '@helixmesh/pipelines/regions';
import { AppError } from '@helixmesh/protocol';
import type { Purpose, Range, Region } from '@helixmesh/protocol/sealing';
import { datasetNames } from './dataset-view.ts';
import { type FoundDataset, findDataset } from './find-dataset.ts';
import { openDataset, type ReadableDataset } from './open-for-reading.ts';
import type { Person } from './person.ts';

export interface RegionsOptions {
  readonly regions: readonly Region[];
  /** A dataset or a file; where it is undefined the person's dataset with the name of an index. */
  readonly index?: string | undefined;
  readonly purpose: Purpose;
  readonly connections: number;
}

/** Pieces fetched at once where nobody says how many. */
const CONNECTIONS_USUAL = 4;

/**
 * A whole BGZF file of header and records. Throws USAGE without an index or for a contig that is not
 * there, ACCESS_REFUSED where no grant covers the regions, and what reading throws.
 */
export async function* readRegions(
  person: Person,
  found: FoundDataset,
  options: RegionsOptions,
): AsyncGenerator<Uint8Array> {
  const { regions, purpose, connections } = options;
  const dataset = await openDataset(person, covering(found, regions), purpose);
  const isPart = found.kind === 'granted' && dataset.part === undefined;
  const index = isPart ? undefined : await indexOf(person, found, options);
  const reader = await dataset.open(dataset.readable);
  try {
    const source = sourceOf(dataset, reader, connections);
    yield* bgzipped(
      index === undefined
        ? recordsOfGrant(source, dataset.readable, regions)
        : recordsByIndex(source, index, regions),
    );
  } finally {
    await reader.close();
  }
}

/** Bytes of one's own dataset that a grantee of the regions needs. Throws as `readRegions`. */
export async function bytesOfRegions(
  person: Person,
  found: FoundDataset,
  options: Omit<RegionsOptions, 'connections'>,
): Promise<readonly Range[]> {
  const connections = CONNECTIONS_USUAL;
  const dataset = await openDataset(person, found, options.purpose);
  const index = await indexOf(person, found, { ...options, connections });
  const reader = await dataset.open(dataset.readable);
  try {
    return await regionBytes(sourceOf(dataset, reader, connections), index, options.regions);
  } finally {
    await reader.close();
  }
}

function sourceOf(
  { manifest }: ReadableDataset,
  reader: ObjectReader,
  connections: number,
): RangedBytes {
  return {
    sizeBytes: manifest.plaintextBytes,
    read: (range) => readObject(reader, [range], connections),
  };
}

/** Of several grants those that reach over the regions. */
function covering(found: FoundDataset, regions: readonly Region[]): FoundDataset {
  if (found.kind === 'own') return found;
  const received = found.received.filter(({ invitation }) => {
    const granted = invitation.grant.document.regions;
    return granted === null || regions.every((one) => granted.some((by) => isWithin(one, by)));
  });
  if (received.length > 0) return { kind: 'granted', received };
  throw new AppError('ACCESS_REFUSED', 'no grant reaches over that region', {
    hint: 'Ask for a region within the grant (`biofs stat` shows it), or its owner for another one.',
  });
}

function isWithin(one: Region, other: Region): boolean {
  return one.refName === other.refName && other.start <= one.start && one.end <= other.end;
}

async function indexOf(
  person: Person,
  found: FoundDataset,
  options: RegionsOptions,
): Promise<RegionIndex> {
  const { index } = options;
  if (index !== undefined) {
    const facts = await stat(index).catch(() => undefined);
    if (facts?.isFile() === true) {
      if (facts.size > INDEX_BYTES_MAX) throw tooLarge();
      return parseRegionIndex(await readFile(index));
    }
    return parseRegionIndex(await bytesOf(person, findDataset(person.custody, index), options));
  }
  const beside = found.kind === 'own' ? indexBeside(person, found) : undefined;
  if (beside !== undefined) return parseRegionIndex(await bytesOf(person, beside, options));
  throw new AppError('USAGE', 'no index of that dataset is known', {
    hint:
      'Regions are of BAM and bgzipped VCF files: store the .bai, .tbi or .csi of this one with ' +
      '`biofs put` too, or name it with --index.',
  });
}

/** The person's latest stored dataset with the name that `samtools` or `tabix` gives an index. */
function indexBeside(
  person: Person,
  { dataset }: Extract<FoundDataset, { kind: 'own' }>,
): FoundDataset | undefined {
  const named = datasetNames(person);
  const name = named.find(({ dataset: { id } }) => id === dataset.id)?.fileName ?? '';
  const wanted = new Set(['.csi', '.tbi', '.bai'].map((end) => name + end));
  if (name.endsWith('.bam')) wanted.add(name.replace(/\.bam$/, '.bai'));
  const [latest] = named
    .filter(({ fileName, dataset: { state } }) => wanted.has(fileName) && state === 'stored')
    .sort((a, b) => b.dataset.addedAtMs - a.dataset.addedAtMs);
  return latest && { kind: 'own', dataset: latest.dataset };
}

async function bytesOf(
  person: Person,
  found: FoundDataset,
  { purpose, connections }: RegionsOptions,
): Promise<Uint8Array> {
  const dataset = await openDataset(person, found, purpose);
  if (dataset.manifest.plaintextBytes > INDEX_BYTES_MAX) throw tooLarge();
  const reader = await dataset.open(dataset.readable);
  try {
    const parts: Uint8Array[] = [];
    for await (const part of readObject(reader, dataset.readable, connections)) parts.push(part);
    return Buffer.concat(parts);
  } finally {
    await reader.close();
  }
}

function tooLarge(): AppError {
  return new AppError('INPUT_MALFORMED', `an index has at most ${INDEX_BYTES_MAX} bytes`, {
    hint: 'Name the .bai, .tbi or .csi file that belongs to the dataset.',
  });
}

/**
 * Cuts a reference into shards that are called apart and joined again.
 *
 * A pure function of contigs and target, never of the machine: it is part of the job hash.
 *
 * Invariants
 *   S1  The cores of all shards cover every base of every contig exactly once.
 *   S2  Shards and the cores in them follow the order of the contigs, then the position.
 *   S3  A chromosome shares a shard with no other contig; only small unplaced ones are grouped.
 *   S4  `padded` is the core and SHARD_PADDING_BASES on each side, inside of the contig.
 */
import { AppError } from '@helixmesh/protocol';
import { contigKind } from './contig-kind.ts';
import type { Contig, Region } from './input.ts';
import {
  MANY_CONTIGS,
  MAX_GROUPED_CONTIGS,
  MAX_GROUPED_LETTERS,
  SHARD_MIN_BASES,
  SHARD_PADDING_BASES,
  SMALL_CONTIG_BASES,
} from './limits.ts';

export interface Shard {
  /** For people: `chr7`, `chr7.2of8`, `small.1`. */
  readonly name: string;
  readonly segments: readonly ShardSegment[];
}

/** A shard with its place in the plan, from 1. */
export interface NumberedShard extends Shard {
  readonly number: number;
}

/** One piece of one contig; 0-based half-open. */
export interface ShardSegment {
  /** Records whose normalised POS lies here belong to this shard. */
  readonly core: Region;
  /** What the caller looks at. */
  readonly padded: Region;
}

/** USAGE for a target below SHARD_MIN_BASES, INPUT_EMPTY for a reference without contigs. */
export function planShards(contigs: readonly Contig[], targetBases: number): readonly Shard[] {
  if (!Number.isInteger(targetBases) || targetBases < SHARD_MIN_BASES) {
    throw new AppError('USAGE', `a shard of ${targetBases} bases is too small`, {
      hint: `Give at least ${SHARD_MIN_BASES} bases.`,
    });
  }
  if (contigs.length === 0) {
    throw new AppError('INPUT_EMPTY', 'the reference has no contigs', {
      hint: 'Prepare the reference again from a FASTA file with sequences.',
    });
  }
  const isGrouped = groupingRule(contigs);
  const shards: Shard[] = [];
  let group: Contig[] = [];
  let groups = 0;
  const flush = () => {
    if (group.length === 0) return;
    groups += 1;
    shards.push({ name: `small.${groups}`, segments: group.map((each) => whole(each)) });
    group = [];
  };
  for (const contig of contigs) {
    if (!isGrouped(contig)) {
      flush();
      shards.push(...cut(contig, targetBases));
      continue;
    }
    if (!fits(group, contig, targetBases)) flush();
    group.push(contig);
  }
  flush();
  return shards;
}

/** The plan as it stands in the job hash: per shard its cores as [contig, start, end]. */
export function shardPlanDocument(
  shards: readonly Shard[],
): readonly (readonly (readonly [string, number, number])[])[] {
  return shards.map(({ segments }) =>
    segments.map(({ core }) => [core.refName, core.start, core.end] as const),
  );
}

function groupingRule(contigs: readonly Contig[]): (contig: Contig) => boolean {
  const hasChromosomes = contigs.some(({ name }) => contigKind(name) === 'autosome');
  return ({ name, lengthBases }) => {
    if (lengthBases >= SMALL_CONTIG_BASES || contigKind(name) !== 'other') return false;
    return hasChromosomes || contigs.length > MANY_CONTIGS;
  };
}

function fits(group: readonly Contig[], next: Contig, targetBases: number): boolean {
  const bases = group.reduce((sum, each) => sum + each.lengthBases, next.lengthBases);
  const letters = group.reduce((sum, each) => sum + each.name.length, next.name.length);
  return (
    bases <= targetBases && letters <= MAX_GROUPED_LETTERS && group.length < MAX_GROUPED_CONTIGS
  );
}

/** Equal pieces, as many as leave each at least `targetBases` long. */
function cut(contig: Contig, targetBases: number): Shard[] {
  const pieces = Math.max(1, Math.floor(contig.lengthBases / targetBases));
  return Array.from({ length: pieces }, (_, i) => {
    const start = Math.floor((contig.lengthBases * i) / pieces);
    const end = Math.floor((contig.lengthBases * (i + 1)) / pieces);
    const name = pieces === 1 ? contig.name : `${contig.name}.${i + 1}of${pieces}`;
    return { name, segments: [segment(contig, start, end)] };
  });
}

function whole(contig: Contig): ShardSegment {
  return segment(contig, 0, contig.lengthBases);
}

function segment(contig: Contig, start: number, end: number): ShardSegment {
  const refName = contig.name;
  return {
    core: { refName, start, end },
    padded: {
      refName,
      start: Math.max(0, start - SHARD_PADDING_BASES),
      end: Math.min(contig.lengthBases, end + SHARD_PADDING_BASES),
    },
  };
}

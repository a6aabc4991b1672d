/**
 * Random truth sets and the same truth written in another way, for property tests.
 *
 * A scenario is a repetitive reference with edits that touch no two neighbours. Its indels either
 * all insert or all delete, so that no two edits cancel each other out.
 */
import fc from 'fast-check';
import { clusters } from '../clusters.ts';
import { matchCluster } from '../match.ts';
import type { MatchMode } from '../replay.ts';
import type { EvaluationCounts } from '../schema.ts';
import { Tally } from '../tally.ts';
import { type ReferenceSequence, type SmallVariantRecord, toSmallVariant } from '../variant.ts';

/** Replaces [start, end) by one or two alternatives. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly alts: readonly string[];
  readonly genotype: '0/1' | '1/1' | '1/2';
}

export interface Scenario {
  readonly reference: string;
  readonly edits: readonly Edit[];
}

export interface ScenarioOptions {
  /** Bases between the end of one edit and the start of the next. */
  readonly gap: number;
  readonly maxEdits: number;
}

const GENOTYPES = ['0/1', '1/1', '1/2'] as const;

export function scenarios(options: ScenarioOptions): fc.Arbitrary<Scenario> {
  const unit = fc.tuple(
    fc.string({ unit: fc.constantFrom(...'ACGT'), minLength: 1, maxLength: 5 }),
    fc.integer({ min: 1, max: 6 }),
  );
  const kind = fc.constantFrom('snp', 'mnp', 'indel');
  const step = fc.record({
    units: fc.array(unit, { minLength: 2, maxLength: 8 }),
    kind,
    offset: fc.integer({ min: 0, max: 5 }),
    size: fc.integer({ min: 1, max: 4 }),
    inserted: fc.string({ unit: fc.constantFrom(...'ACGT'), minLength: 1, maxLength: 4 }),
    genotype: fc.constantFrom(...GENOTYPES),
  });
  const steps = fc.array(step, { minLength: 1, maxLength: options.maxEdits });
  return fc.tuple(fc.boolean(), steps).map(([isInserting, list]) => {
    let reference = 'ACGTTGCA';
    const edits: Edit[] = [];
    for (const { units, kind, offset, size, inserted, genotype } of list) {
      const text = units.map(([bases, times]) => bases.repeat(times)).join('');
      const start = reference.length + options.gap + offset;
      reference += text.padEnd(options.gap + offset + size + 1, 'GATTACA');
      const end = kind === 'snp' ? start + 1 : start + size;
      const replaced = reference.slice(start, end);
      const edit = toEdit({ start, replaced, inserted, genotype, kind, isInserting });
      edits.push(edit);
      reference += 'C';
    }
    return { reference: `${reference}TGACTGACTT`, edits };
  });
}

function toEdit(parts: {
  readonly start: number;
  readonly replaced: string;
  readonly inserted: string;
  readonly genotype: Edit['genotype'];
  readonly kind: string;
  readonly isInserting: boolean;
}): Edit {
  const { start, replaced, inserted, genotype, kind, isInserting } = parts;
  const end = start + replaced.length;
  if (kind === 'indel' && isInserting) {
    const alts = genotype === '1/2' ? [inserted, `${inserted}T`] : [inserted];
    return { start, end: start, alts, genotype };
  }
  if (kind === 'indel') {
    const isOne = genotype !== '1/2' || replaced.length === 1;
    const alts = isOne ? [''] : ['', replaced.slice(1)];
    return { start, end, alts, genotype: isOne && genotype === '1/2' ? '0/1' : genotype };
  }
  const alts = [rotateBases(replaced, 1), rotateBases(replaced, 2)];
  return { start, end, alts: genotype === '1/2' ? alts : alts.slice(0, 1), genotype };
}

/** Every base replaced by the one `by` places further in ACGT. */
export function rotateBases(bases: string, by: number): string {
  return bases.replace(/[ACGT]/g, (base) => 'ACGT'.charAt(('ACGT'.indexOf(base) + by) % 4));
}

/** The edit as one VCF record, with the padding base where an allele would be empty. */
export function toRecord(reference: string, edit: Edit, padding = 0): SmallVariantRecord {
  const isEmpty = edit.start === edit.end || edit.alts.includes('');
  const pad = reference.slice(edit.start - Math.max(padding, isEmpty ? 1 : 0), edit.start);
  return {
    pos1: edit.start - pad.length + 1,
    ref: pad + reference.slice(edit.start, edit.end),
    alts: edit.alts.map((alt) => pad + alt),
    genotype: edit.genotype,
  };
}

export interface Rewriting {
  readonly splits: boolean;
  readonly padding: number;
  readonly shift: number;
}

export const rewritings: fc.Arbitrary<Rewriting> = fc.record({
  splits: fc.boolean(),
  padding: fc.integer({ min: 0, max: 3 }),
  shift: fc.integer({ min: -6, max: 6 }),
});

/** One or more records that mean the same as the edit. `free` bounds where an indel may move. */
export function rewrite(
  reference: string,
  edit: Edit,
  how: Rewriting & { readonly free: { readonly start: number; readonly end: number } },
): SmallVariantRecord[] {
  if (edit.genotype === '1/2' && how.splits) {
    return edit.alts.flatMap((alt) =>
      rewrite(reference, { ...edit, alts: [alt], genotype: '0/1' }, { ...how, splits: false }),
    );
  }
  const [alt = ''] = edit.alts;
  const isPureIndel = edit.alts.length === 1 && (alt === '' || edit.start === edit.end);
  if (isPureIndel) return [toRecord(reference, moved(reference, edit, how), how.padding)];
  if (alt.length === edit.end - edit.start && edit.alts.length === 1 && how.splits) {
    return [...alt].map((base, index) => {
      const start = edit.start + index;
      return toRecord(reference, { ...edit, start, end: start + 1, alts: [base] });
    });
  }
  return [toRecord(reference, edit, how.padding)];
}

function moved(
  reference: string,
  edit: Edit,
  how: { readonly shift: number; readonly free: { readonly start: number; readonly end: number } },
): Edit {
  let { start, end } = edit;
  let [alt = ''] = edit.alts;
  for (let step = 0; step < Math.abs(how.shift); step += 1) {
    const moving = start === end ? alt : reference.slice(start, end);
    if (how.shift < 0) {
      if (start <= how.free.start + 1 || reference[start - 1] !== moving.at(-1)) break;
      start -= 1;
      end -= 1;
      if (alt !== '') alt = alt.slice(-1) + alt.slice(0, -1);
    } else {
      if (end + 1 >= how.free.end || reference[end] !== moving[0]) break;
      start += 1;
      end += 1;
      if (alt !== '') alt = alt.slice(1) + alt.charAt(0);
    }
  }
  return { ...edit, start, end, alts: [alt] };
}

/** Rewrites every edit, within the free bases between its neighbours. */
export function rewriteAll(
  scenario: Scenario,
  how: (index: number) => Rewriting,
): SmallVariantRecord[] {
  const { reference, edits } = scenario;
  return edits.flatMap((edit, index) => {
    const start = edits[index - 1]?.end ?? 2;
    const end = edits[index + 1]?.start ?? reference.length - 2;
    return rewrite(reference, edit, { ...how(index), free: { start, end } });
  });
}

/** Compares two record lists in memory, as `evaluate` does for one contig without regions. */
export function compareRecords(
  bases: string,
  lists: {
    readonly truth: readonly SmallVariantRecord[];
    readonly calls: readonly SmallVariantRecord[];
  },
  mode: MatchMode = 'genotype',
): EvaluationCounts & { readonly genotypeErrors: { truth: number; calls: number } } {
  const reference: ReferenceSequence = {
    length: bases.length,
    slice: (start, end) => bases.slice(Math.max(0, start), end),
  };
  const read = (records: readonly SmallVariantRecord[]) =>
    records
      .map((record, id) => toSmallVariant(record, reference, { id, isInside: true }))
      .filter((variant) => typeof variant === 'object');
  const tally = new Tally();
  for (const cluster of clusters({ truth: read(lists.truth), calls: read(lists.calls) })) {
    const match = matchCluster(cluster, reference, mode);
    for (const [variant, verdict] of match.truth) tally.addTruth(variant.kind, verdict);
    for (const [variant, verdict] of match.calls) tally.addCall(variant.kind, verdict);
  }
  const { all, genotypeErrors } = tally.counts();
  return { ...all, genotypeErrors };
}

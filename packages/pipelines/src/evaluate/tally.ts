/** Counts verdicts and works out precision, recall and F1. */
import type { Verdict } from './match.ts';
import type { EvaluationCounts } from './schema.ts';
import type { VariantKind } from './variant.ts';

type Raw = Pick<
  EvaluationCounts,
  'truePositivesTruth' | 'truePositivesCalls' | 'falseNegatives' | 'falsePositives'
>;
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class Tally {
  readonly #raw = { all: zero(), snp: zero(), indel: zero() };
  readonly #genotypeErrors = { truth: 0, calls: 0 };

  addTruth(kind: VariantKind, verdict: Verdict): void {
    if (verdict === 'outside') return;
    if (verdict === 'genotype') this.#genotypeErrors.truth += 1;
    const field = verdict === 'matched' ? 'truePositivesTruth' : 'falseNegatives';
    for (const raw of [this.#raw.all, this.#raw[kind]]) raw[field] += 1;
  }

  addCall(kind: VariantKind, verdict: Verdict): void {
    if (verdict === 'outside') return;
    if (verdict === 'genotype') this.#genotypeErrors.calls += 1;
    const field = verdict === 'matched' ? 'truePositivesCalls' : 'falsePositives';
    for (const raw of [this.#raw.all, this.#raw[kind]]) raw[field] += 1;
  }

  counts(): Record<'all' | VariantKind, EvaluationCounts> & {
    genotypeErrors: { truth: number; calls: number };
  } {
    const { all, snp, indel } = this.#raw;
    return {
      all: withRatios(all),
      snp: withRatios(snp),
      indel: withRatios(indel),
      genotypeErrors: { ...this.#genotypeErrors },
    };
  }
}

function zero(): Mutable<Raw> {
  return { truePositivesTruth: 0, truePositivesCalls: 0, falseNegatives: 0, falsePositives: 0 };
}

function withRatios(raw: Raw): EvaluationCounts {
  const precision = share(raw.truePositivesCalls, raw.falsePositives);
  const recall = share(raw.truePositivesTruth, raw.falseNegatives);
  const sum = (precision ?? 0) + (recall ?? 0);
  const isKnown = precision !== null && recall !== null;
  const f1 = !isKnown ? null : sum === 0 ? 0 : (2 * precision * recall) / sum;
  return { ...raw, precision, recall, f1 };
}

function share(right: number, wrong: number): number | null {
  return right + wrong === 0 ? null : right / (right + wrong);
}

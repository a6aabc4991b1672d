/** Counts what the filters kept and dropped, one record after the other. */
import type { FilterOutcome } from './call-filter.ts';
import type { Caller } from './call-step.ts';
import { MAX_QC_CONTIGS } from './limits.ts';
import { VARIANTS_VERSION, type VariantsModel } from './variants-model.ts';

const BALANCE_BINS = 50;
const TRANSITIONS = new Set(['AG', 'GA', 'CT', 'TC']);
const BASE = /^[ACGT]$/i;

type Kind = 'snv' | 'indel' | 'mnv' | 'other';

export class VariantCounts {
  readonly #caller: Caller;
  readonly #contigs = new Map<string, { total: number; snv: number; indel: number }>();
  readonly #kinds: Record<Kind, number> = { snv: 0, indel: 0, mnv: 0, other: 0 };
  readonly #genotypes = { heterozygous: 0, homozygous: 0, hemizygous: 0, fraction: 0 };
  readonly #dropped = { lowQuality: 0, notCarried: 0, lowFraction: 0 };
  readonly #balance = new Array<number>(BALANCE_BINS).fill(0);
  #total = 0;
  #passed = 0;
  #transitions = 0;
  #transversions = 0;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** `line` as it was before the filters. */
  add(line: string, outcome: FilterOutcome): void {
    if (outcome.status === 'dropped') {
      this.#dropped[outcome.reason] += 1;
      return;
    }
    const [refName = '', , , ref = '', alt = ''] = line.split('\t', 5);
    const kind = kindOf(ref, alt);
    this.#total += 1;
    if (outcome.isPassed) this.#passed += 1;
    this.#kinds[kind] += 1;
    this.#genotypes[outcome.zygosity] += 1;
    this.#addToContig(refName, kind);
    if (kind !== 'snv') return;
    if (TRANSITIONS.has(`${ref}${alt}`.toUpperCase())) this.#transitions += 1;
    else this.#transversions += 1;
    if (outcome.isPassed && outcome.zygosity === 'heterozygous' && outcome.altFraction !== null) {
      const bin = Math.min(BALANCE_BINS - 1, Math.floor(outcome.altFraction * BALANCE_BINS));
      this.#balance[bin] = (this.#balance[bin] ?? 0) + 1;
    }
  }

  model(): VariantsModel {
    const { heterozygous, homozygous } = this.#genotypes;
    return {
      formatVersion: VARIANTS_VERSION,
      caller: this.#caller,
      total: this.#total,
      passed: this.#passed,
      snv: this.#kinds.snv,
      indel: this.#kinds.indel,
      mnv: this.#kinds.mnv,
      transitions: this.#transitions,
      transversions: this.#transversions,
      tiTv: ratio(this.#transitions, this.#transversions),
      genotypes: { ...this.#genotypes },
      hetHom: ratio(heterozygous, homozygous),
      alleleBalance: {
        histogram: { start: 0, binWidth: 1 / BALANCE_BINS, counts: [...this.#balance] },
        calls: this.#balance.reduce((sum, calls) => sum + calls, 0),
      },
      dropped: { ...this.#dropped },
      contigs: [...this.#contigs]
        .slice(0, MAX_QC_CONTIGS)
        .map(([refName, counts]) => ({ refName, ...counts })),
    };
  }

  #addToContig(refName: string, kind: Kind): void {
    const counts = this.#contigs.get(refName) ?? { total: 0, snv: 0, indel: 0 };
    counts.total += 1;
    if (kind === 'snv' || kind === 'indel') counts[kind] += 1;
    this.#contigs.set(refName, counts);
  }
}

function kindOf(ref: string, alt: string): Kind {
  if (/[^ACGTN]/i.test(alt)) return 'other';
  if (ref.length !== alt.length) return 'indel';
  return ref.length === 1 && BASE.test(ref) && BASE.test(alt) ? 'snv' : 'mnv';
}

function ratio(part: number, other: number): number | null {
  return other === 0 ? null : Math.round((part / other) * 10_000) / 10_000;
}

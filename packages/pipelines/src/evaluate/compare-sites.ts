/**
 * Whether one call set is worse than another anywhere: the product against the plain tool on the
 * same reads. A count of errors hides a site lost here behind another one gained there.
 */
import { type EvaluatedSite, type EvaluateOptions, evaluate } from './evaluate.ts';
import type { EvaluationResult } from './schema.ts';

export interface CompareSitesOptions
  extends Omit<EvaluateOptions, 'calls' | 'callsSample' | 'onSite'> {
  readonly callsA: string;
  readonly callsB: string;
  readonly callsASample?: string;
  readonly callsBSample?: string;
}

export interface SiteComparison {
  /** FN and FP of A where B is right: truth that B finds, and calls that B does not make wrongly. */
  readonly worse: readonly EvaluatedSite[];
  /** The same the other way round. */
  readonly better: readonly EvaluatedSite[];
  readonly a: EvaluationResult;
  readonly b: EvaluationResult;
}

/**
 * Sites where A is wrong and B right, and the reverse. An FP is excused when the other set has an
 * FP over the same reference bases, however it writes it. Holds all errors of both sets in memory.
 */
export async function compareSites(options: CompareSitesOptions): Promise<SiteComparison> {
  const { callsA, callsB, callsASample, callsBSample, ...shared } = options;
  const a = await errorsOf({ ...shared, calls: callsA, ...sampleOption(callsASample) });
  const b = await errorsOf({ ...shared, calls: callsB, ...sampleOption(callsBSample) });
  return {
    worse: onlyIn(a.errors, b.errors),
    better: onlyIn(b.errors, a.errors),
    a: a.result,
    b: b.result,
  };
}

async function errorsOf(
  options: EvaluateOptions,
): Promise<{ readonly errors: readonly EvaluatedSite[]; readonly result: EvaluationResult }> {
  const errors: EvaluatedSite[] = [];
  const onSite = (site: EvaluatedSite): void => {
    if (site.status === 'FN' || site.status === 'FP') errors.push(site);
  };
  return { result: await evaluate({ ...options, onSite }), errors };
}

function sampleOption(sample: string | undefined): { callsSample?: string } {
  return sample === undefined ? {} : { callsSample: sample };
}

function onlyIn(
  errors: readonly EvaluatedSite[],
  others: readonly EvaluatedSite[],
): readonly EvaluatedSite[] {
  const missed = new Set(others.filter(({ status }) => status === 'FN').map(truthId));
  const wrong = new Map<string, EvaluatedSite[]>();
  for (const site of others) {
    if (site.status !== 'FP') continue;
    const known = wrong.get(site.contig);
    if (known === undefined) wrong.set(site.contig, [site]);
    else known.push(site);
  }
  return errors.filter((site) => {
    if (site.status === 'FN') return !missed.has(truthId(site));
    return !wrong.get(site.contig)?.some((other) => isSamePlace(site, other));
  });
}

function truthId(site: EvaluatedSite): string {
  return `${site.contig}:${site.pos1}:${site.ref}:${site.alts.join()}:${site.genotype}`;
}

function isSamePlace(a: EvaluatedSite, b: EvaluatedSite): boolean {
  return a.start <= b.end && b.start <= a.end;
}

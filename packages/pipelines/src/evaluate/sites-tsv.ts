/** The list of FN and FP sites as tab-separated text. */
import type { EvaluatedSite } from './evaluate.ts';

export const SITES_TSV_HEADER = 'contig\tpos1\tref\talt\tgenotype\tstatus\treason\tkind\n';

/** One line with its end. Holds genotypes: for the user's file, never for a log. */
export function formatSite(site: EvaluatedSite): string {
  const { contig, pos1, ref, alts, genotype, status, reason, kind } = site;
  const alt = alts.join(',') || '.';
  return `${[contig, pos1, ref, alt, genotype, status, reason ?? '.', kind].join('\t')}\n`;
}

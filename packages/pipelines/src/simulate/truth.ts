/** The truth as VCF, and where it can be trusted. */

import type { VcfRecord } from '../formats/vcf.ts';
import type { Region } from '../germline/input.ts';
import { parPairs, type SimulatedContig } from './genome.ts';
import type { SimulationOptions } from './options.ts';
import { END_BASES } from './site.ts';
import type { Variant } from './variants.ts';

/** Depth is not yet full this near to an end or to masked bases. */
const CONFIDENT_MARGIN_BASES = END_BASES - 50;

export function truthLines(contigs: readonly SimulatedContig[]): readonly string[] {
  return [
    '##fileformat=VCFv4.2',
    '##source=synthetic truth',
    '##synthetic=made up by a simulation; describes no person',
    '##INFO=<ID=HF,Number=1,Type=Float,Description="Fraction of mitochondria that carry ALT">',
    '##INFO=<ID=EFFECT,Number=1,Type=String,Description="Planted effect on the gene">',
    '##INFO=<ID=GENE,Number=1,Type=String,Description="Gene with the planted effect">',
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype; one allele where haploid">',
    ...contigs.map(({ name, bases }) => `##contig=<ID=${name},length=${bases.length}>`),
  ];
}

export function truthRecord(variant: Variant): VcfRecord {
  const info = new Map<string, string>();
  if (variant.fraction !== null) info.set('HF', String(variant.fraction));
  if (variant.effect !== null) info.set('EFFECT', variant.effect);
  if (variant.gene !== null) info.set('GENE', variant.gene.symbol);
  return {
    chrom: variant.refName,
    pos1: variant.start + 1,
    id: null,
    ref: variant.ref,
    alt: [variant.alt],
    qual: null,
    filter: ['PASS'],
    info,
    format: ['GT'],
    samples: [[genotypeText(variant)]],
  };
}

/** Phased; a heteroplasmy below 1 is written as both alleles, for want of a better form. */
export function genotypeText(variant: Variant): string {
  if (variant.fraction !== null && variant.fraction < 1) return '0/1';
  return variant.genotype.join('|');
}

/** All but contig ends, chrM (no genotypes there) and, of chrY, what the sample lacks. */
export function confidentRegions(
  contigs: readonly SimulatedContig[],
  options: SimulationOptions,
): Region[] {
  const [par1, par2] = parPairs(contigs);
  return contigs.flatMap(({ name, kind, bases }) => {
    if (kind === 'M' || (kind === 'Y' && options.sex === 'XX')) return [];
    const from = kind === 'Y' ? (par1?.y.end ?? 0) : 0;
    const to = kind === 'Y' ? (par2?.y.start ?? bases.length) : bases.length;
    const region = {
      refName: name,
      start: from + CONFIDENT_MARGIN_BASES,
      end: to - CONFIDENT_MARGIN_BASES,
    };
    return region.end > region.start ? [region] : [];
  });
}

/** Lines of par.bed: both contigs' regions with their names. */
export function formatParBed(contigs: readonly SimulatedContig[]): string {
  return parPairs(contigs)
    .flatMap(({ x, y }, i) =>
      [x, y].map((region) => `${region.refName}\t${region.start}\t${region.end}\tPAR${i + 1}\n`),
    )
    .sort()
    .join('');
}

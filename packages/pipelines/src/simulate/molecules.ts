/** The DNA molecules of the simulated person: the reference with the variants of each copy. */
import { toBytes } from './bases.ts';
import { parPairs, type SimulatedContig } from './genome.ts';
import type { SimulationOptions } from './options.ts';
import type { Variant } from './variants.ts';

export interface Molecule {
  readonly name: string;
  readonly bases: Uint8Array;
  /** Mean depth that this molecule gives. */
  readonly depth: number;
}

/** Contigs in order, `variants` by contig name, positions ascending. */
export function makeMolecules(
  contigs: readonly SimulatedContig[],
  variants: ReadonlyMap<string, readonly Variant[]>,
  options: SimulationOptions,
): Molecule[] {
  const depth = options.coverage / 2;
  return contigs.flatMap((contig) => {
    const own = variants.get(contig.name) ?? [];
    if (contig.kind === 'M') return mitochondria(contig, own, options);
    if (contig.kind === 'Y' && options.sex === 'XX') return [];
    if (contig.kind === 'Y') {
      const bases = maleY(contigs, contig, variants);
      return [{ name: 'chrY', bases, depth }];
    }
    const copies = contig.kind === 'X' && options.sex === 'XY' ? [0] : [0, 1];
    return copies.map((copy) => ({
      name: `${contig.name}.${copy}`,
      bases: applyVariants(
        contig.bases,
        own.filter((variant) => variant.genotype[copy] === 1),
      ),
      depth,
    }));
  });
}

/** `bases` with the alternative alleles of `variants`, which are in order and do not overlap. */
export function applyVariants(bases: Uint8Array, variants: readonly Variant[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const variant of variants) {
    parts.push(bases.subarray(at, variant.start), toBytes(variant.alt));
    at = variant.start + variant.ref.length;
  }
  parts.push(bases.subarray(at));
  return new Uint8Array(Buffer.concat(parts));
}

/** The second copy of the PAR, which the reference shows on chrX, lies on the Y of a man. */
function maleY(
  contigs: readonly SimulatedContig[],
  y: SimulatedContig,
  variants: ReadonlyMap<string, readonly Variant[]>,
): Uint8Array {
  const pairs = parPairs(contigs);
  const shared = (variants.get('chrX') ?? []).filter(
    (variant) =>
      variant.genotype.length === 2 &&
      variant.genotype[1] === 1 &&
      pairs.some(({ x }) => variant.start >= x.start && variant.start < x.end),
  );
  const all = [...shared, ...(variants.get('chrY') ?? [])];
  return applyVariants(
    y.bases,
    all.sort((a, b) => a.start - b.start),
  );
}

/** Nested populations: those that carry a rare variant carry the commoner ones too. */
function mitochondria(
  contig: SimulatedContig,
  variants: readonly Variant[],
  options: SimulationOptions,
): Molecule[] {
  const fractionOf = (variant: Variant) => variant.fraction ?? 1;
  const levels = [...new Set([1, ...variants.map(fractionOf)])].sort((a, b) => b - a);
  return levels.map((level, i) => ({
    name: `${contig.name}.${i}`,
    bases: applyVariants(
      contig.bases,
      variants.filter((variant) => fractionOf(variant) >= level),
    ),
    depth: options.mitochondrialCoverage * (level - (levels[i + 1] ?? 0)),
  }));
}

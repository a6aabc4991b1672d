/** Variants with a known effect on a gene, at most one per gene. */
import { aminoAcid, COMPLEMENT, toText } from './bases.ts';
import { codingPositions, codingSequence, type Gene } from './genes.ts';
import { leftAlign, type Site } from './site.ts';

export type Effect =
  | 'stop_gained'
  | 'frameshift_variant'
  | 'missense_variant'
  | 'synonymous_variant'
  | 'splice_donor_variant';

/** Gene n of the genome gets entry n modulo the length; null leaves it alone. */
const CYCLE: readonly (Effect | null)[] = [
  'frameshift_variant',
  'missense_variant',
  null,
  'stop_gained',
  'synonymous_variant',
  null,
  'splice_donor_variant',
  'missense_variant',
  null,
];
const STOPS = ['TAA', 'TAG', 'TGA'];

export interface PlantedVariant {
  readonly site: Site;
  readonly effect: Effect;
}

/** The variant that the `index`-th gene gets; null for none. */
export function plantInGene(
  gene: Gene,
  reference: Uint8Array,
  index: number,
): PlantedVariant | null {
  const effect = CYCLE[index % CYCLE.length] ?? null;
  if (effect === null) return null;
  const site = siteWithEffect(gene, reference, effect);
  return site === null ? null : { site, effect };
}

/** The first site past a third of the gene that has the effect; null when there is none. */
export function siteWithEffect(gene: Gene, reference: Uint8Array, effect: Effect): Site | null {
  if (effect === 'splice_donor_variant') return donorSite(gene, reference);
  const positions = codingPositions(gene);
  const sequence = codingSequence(gene, reference);
  const codons = sequence.length / 3;
  for (let codon = Math.floor(codons / 3); codon < codons - 10; codon++) {
    const triplet = sequence.slice(3 * codon, 3 * codon + 3);
    // A codon that no intron cuts, with room to both sides for alignment.
    const [first = 0, , third = 0] = positions.slice(3 * codon, 3 * codon + 3);
    const [before = 0] = positions.slice(3 * codon - 9);
    const [after = 0] = positions.slice(3 * codon + 11);
    if (Math.abs(third - first) !== 2 || Math.abs(after - before) !== 20) continue;
    if (effect === 'frameshift_variant') {
      const start = Math.min(first, third);
      const ref = toText(reference.subarray(start, start + 2));
      return leftAlign(reference, { refName: gene.refName, start, ref, alt: ref.slice(0, 1) });
    }
    const change = substitution(triplet, effect);
    const position = change === null ? undefined : positions[3 * codon + change.offset];
    if (change === null || position === undefined) continue;
    return substitutionSite(gene, reference, position, change.base);
  }
  return null;
}

interface Substitution {
  readonly offset: number;
  /** In the direction of transcription. */
  readonly base: string;
}

function substitution(triplet: string, effect: Effect): Substitution | null {
  for (let offset = 0; offset < 3; offset++) {
    for (const base of 'GATC') {
      if (base === triplet[offset]) continue;
      const changed = triplet.slice(0, offset) + base + triplet.slice(offset + 1);
      const isStop = STOPS.includes(changed);
      const isSame = aminoAcid(changed) === aminoAcid(triplet);
      const isWanted =
        (effect === 'stop_gained' && isStop) ||
        (effect === 'synonymous_variant' && isSame) ||
        (effect === 'missense_variant' && !isStop && !isSame);
      if (isWanted) return { offset, base };
    }
  }
  return null;
}

/** The first base of the first intron: GT becomes AT. */
function donorSite(gene: Gene, reference: Uint8Array): Site | null {
  const exons = gene.strand === '+' ? gene.exons : gene.exons.toReversed();
  const [first] = exons;
  if (first === undefined || exons.length < 2) return null;
  const position = gene.strand === '+' ? first.end : first.start - 1;
  return substitutionSite(gene, reference, position, 'A');
}

function substitutionSite(gene: Gene, reference: Uint8Array, position: number, base: string): Site {
  const complement = String.fromCharCode(COMPLEMENT[base.charCodeAt(0)] ?? 0);
  return {
    refName: gene.refName,
    start: position,
    ref: toText(reference.subarray(position, position + 1)),
    alt: gene.strand === '+' ? base : complement,
  };
}

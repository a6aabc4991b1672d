import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ASSEMBLIES, knownPar } from './assemblies.ts';
import { contigMapper } from './contig-mapper.ts';

test('maps accessions and synonyms only where the length is that of the assembly', () => {
  const grch38 = [
    { name: 'chr17', lengthBases: 83257441 },
    { name: 'chrM', lengthBases: 16569 },
  ];
  const options = { label: '--x', statedLengths: new Map([['MT', 16571]]) };
  const mapper = contigMapper(grch38, options);
  assert.equal(mapper.map('NC_000017.11')?.name, 'chr17');
  assert.equal(mapper.map('NC_000017.10'), null, 'that is GRCh37');
  assert.equal(mapper.map('CM000679.2')?.name, 'chr17');
  assert.equal(mapper.map('17')?.name, 'chr17');
  assert.equal(mapper.map('NC_012920.1')?.name, 'chrM');
  assert.equal(mapper.map('MT'), null, 'hg19’s own chrM is another sequence');
  const slices = contigMapper([{ name: 'chr17', lengthBases: 200 }], options);
  assert.equal(slices.map('NC_000017.11'), null);
});

/**
 * As published, 1-based and closed: X PAR1, X PAR2, Y PAR1, Y PAR2.
 *
 * GRCh37: UCSC, description of the assembly hg19 ("The Y chromosome in this assembly contains two
 * pseudoautosomal regions …").
 * GRCh38: Ensembl, "Pseudoautosomal regions in human", after the Genome Reference Consortium.
 * T2T-CHM13v2.0: the consortium's chm13v2.0_PAR.bed, 0-based there: chrX 0 2394410, chrX 153925834
 * 154259566, chrY 0 2458320, chrY 62122809 62460029.
 */
const PUBLISHED = {
  GRCh37: {
    contigs: { chrX: 155_270_560, chrY: 59_373_566 },
    par: 'chrX:60001-2699520 chrX:154931044-155260560 chrY:10001-2649520 chrY:59034050-59363566',
  },
  GRCh38: {
    contigs: { chrX: 156_040_895, chrY: 57_227_415 },
    par: 'chrX:10001-2781479 chrX:155701383-156030895 chrY:10001-2781479 chrY:56887903-57217415',
  },
  'T2T-CHM13v2.0': {
    contigs: { chrX: 154_259_566, chrY: 62_460_029 },
    par: 'chrX:1-2394410 chrX:153925835-154259566 chrY:1-2458320 chrY:62122810-62460029',
  },
} as const;

for (const assembly of ASSEMBLIES) {
  test(`the pseudo-autosomal regions of ${assembly} are the published ones`, () => {
    const { contigs, par } = PUBLISHED[assembly];
    const named = Object.entries(contigs).map(([name, lengthBases]) => ({ name, lengthBases }));
    const known = knownPar(named);
    assert.equal(known?.assembly, assembly);
    const regions = known.regions.map(
      ({ refName, start, end }) => `${refName}:${start + 1}-${end}`,
    );
    assert.equal(regions.join(' '), par);
    const chrY = named.filter(({ name }) => name === 'chrY');
    assert.equal(knownPar([{ name: 'chrX', lengthBases: 50_000 }, ...chrY]), null);
  });
}

test('the regions bear the names of the contigs, and agree on X and Y where they are copies', () => {
  const known = knownPar([
    { name: 'NC_000023.10', lengthBases: 155_270_560 },
    { name: 'Y', lengthBases: 59_373_566 },
  ]);
  assert.deepEqual(
    known?.regions.map(({ refName }) => refName),
    ['NC_000023.10', 'NC_000023.10', 'Y', 'Y'],
  );
  const [x1 = 0, x2 = 0, y1 = 0, y2 = 0] =
    known?.regions.map(({ start, end }) => end - start) ?? [];
  assert.deepEqual([x1, x2], [y1, y2]);
  assert.equal(knownPar([{ name: 'chrX', lengthBases: 50_000 }]), null);
});

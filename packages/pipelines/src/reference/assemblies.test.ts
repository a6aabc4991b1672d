import assert from 'node:assert/strict';
import { test } from 'node:test';
import { knownPar } from './assemblies.ts';
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

test('knows the pseudo-autosomal regions of GRCh37 and GRCh38 by length', () => {
  const grch38 = knownPar([
    { name: 'chrX', lengthBases: 156040895 },
    { name: 'chrY', lengthBases: 57227415 },
  ]);
  assert.equal(grch38?.assembly, 'GRCh38');
  assert.deepEqual(grch38?.regions[0], { refName: 'chrX', start: 10_000, end: 2_781_479 });
  const grch37 = knownPar([
    { name: 'X', lengthBases: 155270560 },
    { name: 'Y', lengthBases: 59373566 },
  ]);
  assert.deepEqual(grch37?.regions[0], { refName: 'X', start: 60_000, end: 2_699_520 });
  for (const { regions } of [grch38, grch37].filter((known) => known !== null)) {
    const length = (i: number) => (regions[i]?.end ?? 0) - (regions[i]?.start ?? 0);
    assert.equal(length(0), length(2), 'PAR1 is as long on Y as on X');
    assert.equal(length(1), length(3), 'PAR2 is as long on Y as on X');
  }
  assert.equal(knownPar([{ name: 'chrX', lengthBases: 50_000 }]), null);
});

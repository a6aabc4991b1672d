import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseVcfRecord } from '../formats/vcf.ts';
import { clinvarCategory, reviewStars } from './findings-clinvar.ts';
import { effectOf } from './findings-effect.ts';
import { findingOf } from './findings-record.ts';

test('sorts ClinVar’s significances into categories without judging', () => {
  const expected: Readonly<Record<string, string>> = {
    Pathogenic: 'pathogenic',
    'Pathogenic/Likely_pathogenic': 'pathogenic',
    Likely_pathogenic: 'likely pathogenic',
    'Pathogenic,_low_penetrance': 'pathogenic',
    'Likely_pathogenic,_low_penetrance': 'likely pathogenic',
    'Pathogenic/Likely_pathogenic/Pathogenic,_low_penetrance': 'pathogenic',
    'Pathogenic|drug_response|other': 'pathogenic',
    Uncertain_significance: 'uncertain significance',
    'Uncertain_significance|association': 'uncertain significance',
    Conflicting_interpretations_of_pathogenicity: 'conflicting',
    'Conflicting_classifications_of_pathogenicity|risk_factor': 'conflicting',
    'Benign/Likely_benign': 'likely benign',
    Likely_benign: 'likely benign',
    Benign: 'benign',
    'Benign|drug_response': 'benign',
    drug_response: 'other ClinVar',
    risk_factor: 'other ClinVar',
    Likely_risk_allele: 'other ClinVar',
    not_provided: 'other ClinVar',
    no_classification_for_the_single_variant: 'other ClinVar',
  };
  for (const [significance, category] of Object.entries(expected)) {
    assert.equal(clinvarCategory(significance), category, significance);
  }
});

test('counts review stars as ClinVar does', () => {
  assert.equal(reviewStars('practice_guideline'), 4);
  assert.equal(reviewStars('reviewed_by_expert_panel'), 3);
  assert.equal(reviewStars('criteria_provided,_multiple_submitters,_no_conflicts'), 2);
  assert.equal(reviewStars('criteria_provided,_conflicting_classifications'), 1);
  assert.equal(reviewStars('no_assertion_criteria_provided'), 0);
  assert.equal(reviewStars(''), 0);
});

function row(info: string, sample = 'GT:DP:AD\t0/1:30:15,15', contig = 'chr1') {
  return findingOf(parseVcfRecord(`${contig}\t100\t.\tA\tG\t60\tPASS\t${info}\t${sample}`));
}

test('lists what is not in ClinVar only when it changes a protein and is rare', () => {
  const ann = (impact: string) =>
    `ANN=G|x_variant|${impact}|GENE|GENE|transcript|NM_1.1|protein_coding|1/2|c.1A>G|||||`;
  assert.equal(row(ann('HIGH'))?.isListed, true);
  assert.equal(row(`${ann('MODERATE')};GNOMAD_AF=0.0099`)?.isListed, true);
  assert.equal(row(`${ann('MODERATE')};GNOMAD_AF=0.01`)?.isListed, false);
  assert.equal(row(ann('LOW'))?.isListed, false);
  assert.equal(row(`${ann('LOW')};CLNVID=1;CLNSIG=Pathogenic`)?.isListed, true);
  assert.equal(row(`${ann('HIGH')};CLNVID=1;CLNSIG=Benign`)?.isListed, false);
  assert.equal(row(`${ann('HIGH')};CLNVID=1;CLNSIG=not_provided`)?.isListed, true);
  assert.equal(row(`${ann('LOW')};CLNVID=1`)?.isListed, false);
  assert.equal(row(ann('HIGH'))?.finding.category, 'not in ClinVar');
});

test('tells zygosity from the genotype, and the mitochondrial fraction from the reads', () => {
  const kind = (gt: string) => row('.', `GT\t${gt}`)?.finding.zygosity.kind;
  assert.equal(kind('1|1'), 'homozygous');
  assert.equal(kind('0|1'), 'heterozygous');
  assert.equal(kind('1'), 'hemizygous');
  assert.equal(kind('./1'), 'unknown');
  assert.equal(row('.', 'GT\t0/0'), null);
  assert.deepEqual(row('.', 'GT:DP:AD\t0/1:200:190,10', 'chrM')?.finding.zygosity, {
    kind: 'heteroplasmic',
    fraction: 0.05,
  });
});

test('shows the most severe transcript, coding and curated ones first', () => {
  const entry = (term: string, impact: string, id: string, biotype: string) =>
    `G|${term}|${impact}|GENE|GENE|transcript|${id}|${biotype}|1/2|c.1A>G||||||`;
  const ann = [
    entry('intron_variant', 'MODIFIER', 'NM_2.1', 'protein_coding'),
    entry('missense_variant', 'MODERATE', 'XM_3.1', 'protein_coding'),
    entry('missense_variant', 'MODERATE', 'NM_4.2', 'protein_coding'),
  ].join(',');
  const effect = effectOf({ info: new Map([['ANN', ann]]) });
  assert.equal(effect.transcript, 'NM_4.2');
  const csq = 'stop_gained|GENE|NM_4.2|protein_coding|+|10Q>10*|5C>T';
  const both = effectOf({
    info: new Map([
      ['ANN', ann],
      ['BCSQ', csq],
    ]),
  });
  assert.equal(both.worstImpact, 'HIGH');
  assert.equal(both.haplotypeConsequence, '10Q>10*');
  assert.equal(
    effectOf({ info: new Map([['BCSQ', '@99,*missense|G|T|b']]) }).consequence,
    'missense',
  );
});

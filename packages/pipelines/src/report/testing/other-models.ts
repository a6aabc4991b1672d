/** Reports at the edges: nothing found, single reads, hundreds of variants, hostile texts. */
import type { Finding } from '../../germline/findings.ts';
import type { ReportModel } from '../model.ts';
import { sampleFinding, sampleGroups, sampleModel } from './sample-model.ts';

type Changes = Partial<ReportModel>;

function changed(changes: (model: ReportModel) => Changes): ReportModel {
  const model = sampleModel();
  return { ...model, ...changes(model) };
}

/** Nothing that ClinVar calls pathogenic; single reads, so no insert size and no second read. */
export function quietModel(): ReportModel {
  return changed(({ findings, qc, sample }) => ({
    findings: {
      ...findings,
      groups: sampleGroups([]),
      mitochondrial: { total: 0, unlisted: 0, findings: [] },
    },
    sample: { ...sample, layout: 'single', inputs: sample.inputs.slice(0, 1) },
    lowCoverage: null,
    qc: {
      ...qc,
      metrics: qc.metrics.map((metric) =>
        metric.id === 'insert-size' ? { ...metric, value: null, verdict: null } : metric,
      ),
      plots: {
        ...qc.plots,
        insertSize: null,
        alleleBalance: null,
        tiTv: null,
        qualityByCycle: qc.plots.qualityByCycle && { ...qc.plots.qualityByCycle, read2: null },
        gcByCycle: null,
      },
    },
  }));
}

/** Hundreds of variants over many pages, 3,000 contigs, names and conditions of great length. */
export function crowdedModel(variants = 300): ReportModel {
  const findings = Array.from({ length: variants }, (_, index) => crowdedFinding(index));
  return changed((model) => ({
    sample: { ...model.sample, id: 'S'.repeat(64) },
    reference: { ...model.reference, name: 'reference-with-a-name-that-does-not-end'.repeat(4) },
    findings: {
      ...model.findings,
      groups: sampleGroups(findings).map((group) => ({ ...group, unlisted: 1_234 })),
    },
    qc: {
      ...model.qc,
      plots: {
        ...model.qc.plots,
        coverageByContig: Array.from({ length: 3_000 }, (_, index) => ({
          refName: `scaffold_${String(index + 1).padStart(5, '0')}.1`,
          lengthBases: 5_000_000 - index * 1_600,
          meanDepth: 30 + (index % 9),
        })),
      },
    },
  }));
}

function crowdedFinding(index: number): Finding {
  const category = index % 3 === 0 ? 'pathogenic' : 'uncertain significance';
  const isLong = index % 10 === 0;
  return sampleFinding({
    pos1: 10_000 + index * 977,
    refName: isLong ? `scaffold_with_a_long_name_${index}.unlocalized` : 'chr7',
    gene: isLong ? `GENE${index}-READTHROUGH-ANTISENSE` : `GENE${index}`,
    ref: isLong ? 'ACGT'.repeat(250) : 'A',
    hgvsC: isLong ? `c.${index}_${index + 999}del${'ACGT'.repeat(250)}` : `c.${index + 1}A>G`,
    hgvsP: isLong ? `p.${'Ala'.repeat(60)}${index}fs` : `p.Lys${index}Arg`,
    filter: isLong ? 'LowConf;StrandBias;ReadPosRankSum' : 'PASS',
    category,
    clinvar: {
      significance: category === 'pathogenic' ? 'Pathogenic' : 'Uncertain significance',
      conflict: null,
      reviewStatus: 'criteria provided, single submitter',
      stars: 1,
      conditions: isLong
        ? Array.from({ length: 60 }, (_, at) => `Syndromic condition of great length, type ${at}`)
        : ['Condition β of Ångström–Müller'],
      variationId: String(100_000 + index),
      hgvs: null,
    },
  });
}

export const HOSTILE = '<script>alert("x")</script>\u0000<img src=http://evil.example/x onerror=1>';

/** Texts of the annotation files that would break a page if they were not escaped. */
export function hostileModel(): ReportModel {
  const finding = sampleFinding({
    gene: HOSTILE,
    hgvsC: HOSTILE,
    rsId: HOSTILE,
    refName: HOSTILE,
    consequence: HOSTILE,
    filter: HOSTILE,
    category: 'pathogenic',
    clinvar: {
      significance: HOSTILE,
      conflict: HOSTILE,
      reviewStatus: HOSTILE,
      stars: 0,
      conditions: [HOSTILE],
      variationId: HOSTILE,
      hgvs: HOSTILE,
    },
  });
  return changed(({ findings, reference, qc }) => ({
    findings: { ...findings, groups: sampleGroups([finding]) },
    reference: { ...reference, name: HOSTILE },
    qc: {
      ...qc,
      plots: {
        ...qc.plots,
        coverageByContig: [{ refName: HOSTILE, lengthBases: 10, meanDepth: 3 }],
      },
    },
  }));
}

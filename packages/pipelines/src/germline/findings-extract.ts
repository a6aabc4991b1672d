/**
 * Builtin `extract-findings`: reads the annotated VCF once and writes `findings.json`. Memory is
 * bounded by the limits of the lists, not by the number of calls.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, canonicalJson } from '@helixmesh/protocol';
import { z } from 'zod';
import { openVcf } from '../formats/vcf.ts';
import { isMitochondrial } from '../reference/assemblies.ts';
import type { Builtin } from '../task/builtin.ts';
import {
  annotationSourcesSchema,
  FINDING_CATEGORIES,
  FINDINGS_VERSION,
  type Finding,
  type Findings,
  findingsSchema,
} from './findings.ts';
import { MAX_FINDINGS_PER_CATEGORY, MAX_MITOCHONDRIAL_FINDINGS } from './findings-limits.ts';
import { type FindingRow, findingOf } from './findings-record.ts';

const argsSchema = z.strictObject({
  calls: z.string(),
  findings: z.string(),
  sources: annotationSourcesSchema,
});

/** Throws INPUT_MALFORMED for a VCF that does not have one sample. */
export const extractFindings: Builtin = async ({ folder, args }) => {
  const { calls, findings, sources } = argsSchema.parse(args);
  const { header, records } = await openVcf(join(folder, calls));
  if (header.samples.length !== 1) {
    throw new AppError('INPUT_MALFORMED', `calls have ${header.samples.length} samples, not 1`, {
      hint: 'Give the calls of one sample.',
    });
  }
  const hasMitochondrion = header.contigs.some((contig) => isMitochondrial(contig.name));
  const collector = new FindingsCollector();
  for await (const record of records) {
    const row = findingOf(record);
    if (row !== null) collector.add(row);
  }
  const result = findingsSchema.parse(collector.finish({ sources, hasMitochondrion }));
  await writeFile(join(folder, findings), `${canonicalJson(result)}\n`);
};

/** A list that keeps the severe ones when it is full, in the order of the calls. */
class FindingList {
  private readonly severe: { order: number; finding: Finding }[] = [];
  private readonly others: { order: number; finding: Finding }[] = [];
  private readonly limit: number;
  eligible = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  add(finding: Finding): void {
    const list = finding.impact === 'HIGH' ? this.severe : this.others;
    const order = this.eligible++;
    if (list.length < this.limit) list.push({ order, finding });
  }

  get findings(): Finding[] {
    return [...this.severe, ...this.others]
      .slice(0, this.limit)
      .sort((a, b) => a.order - b.order)
      .map((entry) => entry.finding);
  }
}

class FindingsCollector {
  private readonly totals = new Map(FINDING_CATEGORIES.map((category) => [category, 0]));
  private readonly lists = new Map(
    FINDING_CATEGORIES.map((category) => [category, new FindingList(MAX_FINDINGS_PER_CATEGORY)]),
  );
  private readonly mitochondrial = new FindingList(MAX_MITOCHONDRIAL_FINDINGS);
  private readonly counts = { total: 0, snv: 0, indel: 0, inClinvar: 0 };

  add({ finding, isListed, isMitochondrial: isMt, type }: FindingRow): void {
    const { category } = finding;
    this.counts.total++;
    if (type !== 'other') this.counts[type]++;
    if (finding.clinvar !== null) this.counts.inClinvar++;
    this.totals.set(category, (this.totals.get(category) ?? 0) + 1);
    if (isListed) this.lists.get(category)?.add(finding);
    if (isMt) this.mitochondrial.add(finding);
  }

  finish(context: {
    readonly sources: Findings['sources'];
    readonly hasMitochondrion: boolean;
  }): Findings {
    const groups = FINDING_CATEGORIES.map((category) => {
      const list = this.lists.get(category) ?? new FindingList(0);
      const { findings, eligible } = list;
      const total = this.totals.get(category) ?? 0;
      return { category, total, eligible, unlisted: eligible - findings.length, findings };
    });
    const { findings, eligible } = this.mitochondrial;
    const mitochondrial = { total: eligible, unlisted: eligible - findings.length, findings };
    return {
      version: FINDINGS_VERSION,
      sources: context.sources,
      counts: { ...this.counts },
      groups,
      mitochondrial: context.hasMitochondrion ? mitochondrial : null,
    };
  }
}

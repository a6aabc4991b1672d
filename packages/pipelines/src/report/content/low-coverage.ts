/** The section on regions of low coverage. */
import { depthText, grouped, percent, regionText } from '../format.ts';
import { MAX_LOW_COVERAGE_ROWS_PDF } from '../limits.ts';
import type { ReportModel } from '../model.ts';
import type { LowCoverage } from '../model-low-coverage.ts';
import { LOW_COVERAGE_SCOPES, plural, SECTION_TITLES, thresholdText } from '../words.ts';
import { type Block, line, type Medium, type Section, type Table } from './blocks.ts';

export function lowCoverageSection({ lowCoverage }: ReportModel, medium: Medium): Section {
  const blocks = lowCoverage === null ? notComputed() : found(lowCoverage, medium);
  return { id: 'low-coverage', title: SECTION_TITLES.lowCoverage, blocks };
}

function notComputed(): readonly Block[] {
  const text =
    'Regions of low coverage were not computed for this report: without gene models of the ' +
    'reference it is not known what should be covered.';
  return [{ kind: 'note', text, tone: 'warn' }];
}

function found(low: LowCoverage, medium: Medium): readonly Block[] {
  if (low.examinedBases === 0) {
    const text =
      'No gene has a coding exon that the reads reach, so there was nothing to examine for ' +
      'regions of low coverage. The absence of a finding says nothing.';
    return [{ kind: 'note', text, tone: 'warn' }];
  }
  const examined = `${plural(low.examinedBases, 'base')} of ${LOW_COVERAGE_SCOPES[low.scope]}`;
  const threshold = thresholdText(low);
  if (low.totalRegions === 0) {
    const text = `Of ${examined}, none is covered less than ${threshold}.`;
    return [{ kind: 'paragraph', text }];
  }
  const shown = medium === 'pdf' ? low.regions.slice(0, MAX_LOW_COVERAGE_ROWS_PDF) : low.regions;
  const more = ` The ${grouped(shown.length)} longest are listed; the file low-coverage.bed has all.`;
  const text =
    `Of ${examined}, ${grouped(low.totalBases)} ` +
    `(${percent(low.totalBases / low.examinedBases, 3)}) in ${plural(low.totalRegions, 'region')} ` +
    `are covered less than ${threshold}; bases of poor quality and reads that could lie elsewhere ` +
    'do not count. A variant there can be missed; the absence of a finding in these regions says ' +
    `nothing.${shown.length < low.totalRegions ? more : ''}`;
  return [
    { kind: 'paragraph', text },
    { kind: 'table', table: regionTable(low, shown) },
  ];
}

function regionTable(low: LowCoverage, regions: LowCoverage['regions']): Table {
  return {
    caption: 'Regions of low coverage, longest first',
    count: plural(regions.length, 'region'),
    tone: 'warn',
    columns: [
      { title: 'Region (1-based, inclusive)', share: 0.4 },
      { title: 'Length', share: 0.15, align: 'right' },
      { title: 'Mean depth', share: 0.15, align: 'right' },
      { title: 'Genes', share: 0.3 },
    ],
    rows: regions.map((region) => [
      [line(regionText(region))],
      [line(plural(region.end - region.start, 'base'))],
      [line(depthText(region.meanDepth, [low.thresholdDepth, low.haploidThresholdDepth]))],
      [region.genes.length === 0 ? line('none', 'muted') : line(region.genes.join(', '))],
    ]),
  };
}

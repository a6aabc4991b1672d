/** The section on quality: judged figures with thresholds and sources, then the plots. */
import { metricValue } from '../format.ts';
import type { ReportModel } from '../model.ts';
import type { Verdict } from '../model-qc.ts';
import { allPlots } from '../plots/all-plots.ts';
import type { Tone } from '../plots/scene.ts';
import { SECTION_TITLES, VERDICT_WORDS } from '../words.ts';
import { type CellLine, line, type Section, type Table } from './blocks.ts';

export const VERDICT_TONES: Readonly<Record<Verdict, Tone>> = {
  pass: 'pass',
  warn: 'warn',
  fail: 'fail',
};

export function qcSection(model: ReportModel): Section {
  return {
    id: 'quality',
    title: SECTION_TITLES.qc,
    blocks: [
      { kind: 'table', table: metricsTable(model) },
      { kind: 'plots', scenes: allPlots(model.qc.plots) },
    ],
  };
}

function metricsTable(model: ReportModel): Table {
  return {
    caption: 'Quality figures',
    count: `overall: ${VERDICT_WORDS[model.qc.verdict]}`,
    tone: VERDICT_TONES[model.qc.verdict],
    columns: [
      { title: 'Figure', share: 0.26 },
      { title: 'Value', share: 0.11, align: 'right' },
      { title: 'Verdict', share: 0.12 },
      { title: 'Threshold', share: 0.25 },
      { title: 'Source of the threshold', share: 0.26 },
    ],
    rows: model.qc.metrics.map((metric) => [
      [line(metric.label)],
      [line(metricValue(metric), metric.value === null ? 'muted' : 'strong')],
      [verdictLine(metric.verdict)],
      [line(metric.threshold ?? '–', metric.threshold === null ? 'muted' : 'plain')],
      [line(metric.source ?? '–', 'muted')],
    ]),
  };
}

function verdictLine(verdict: Verdict | null): CellLine {
  if (verdict === null) return line('not judged', 'muted');
  return line(VERDICT_WORDS[verdict], 'badge', VERDICT_TONES[verdict]);
}

/** The sections of the report, in reading order, after the summary. */
import type { Finding } from '../../germline/findings.ts';
import type { ReportModel } from '../model.ts';
import {
  CATEGORY_TITLES,
  CLINVAR_NOT_USED,
  GLOSSARY,
  hasPathogenic,
  NOTHING_FOUND,
  NUMT_CAVEAT,
  plural,
  SECTION_TITLES,
  shownGroups,
  unlistedText,
} from '../words.ts';
import { type Block, line, type Medium, type Section, type Table } from './blocks.ts';
import { lowCoverageSection } from './low-coverage.ts';
import { methodsSection, provenanceSection } from './methods.ts';
import { qcSection } from './quality.ts';
import { CATEGORY_TONES, variantTable } from './variant-table.ts';

export function sections(model: ReportModel, medium: Medium): readonly Section[] {
  return [
    variantsSection(model, medium),
    ...mitochondrialSection(model, medium),
    qcSection(model),
    lowCoverageSection(model, medium),
    methodsSection(model, medium),
    {
      id: 'limitations',
      title: SECTION_TITLES.limitations,
      blocks: [{ kind: 'list', items: model.limitations }],
    },
    {
      id: 'glossary',
      title: SECTION_TITLES.glossary,
      blocks: [{ kind: 'table', table: glossaryTable() }],
    },
    provenanceSection(model),
  ];
}

function variantsSection(model: ReportModel, medium: Medium): Section {
  const blocks: Block[] = [];
  if (!model.findings.sources.clinvar) {
    blocks.push({ kind: 'note', text: CLINVAR_NOT_USED, tone: 'warn' });
  } else if (!hasPathogenic(model)) blocks.push({ kind: 'paragraph', text: NOTHING_FOUND });
  for (const group of shownGroups(model)) {
    blocks.push(
      ...variantBlocks({
        caption: CATEGORY_TITLES[group.category],
        tone: CATEGORY_TONES[group.category],
        findings: group.findings,
        unlisted: group.unlisted,
        medium,
      }),
    );
  }
  return { id: 'variants', title: SECTION_TITLES.variants, blocks };
}

/** Absent where the reference has no mitochondrial contig. */
function mitochondrialSection(model: ReportModel, medium: Medium): readonly Section[] {
  const found = model.findings.mitochondrial;
  if (found === null) return [];
  const blocks: Block[] = [{ kind: 'note', text: NUMT_CAVEAT, tone: 'warn' }];
  if (found.findings.length === 0) {
    blocks.push({ kind: 'paragraph', text: 'No mitochondrial variant was called.' });
  } else {
    blocks.push(
      ...variantBlocks({
        caption: 'Mitochondrial alleles by fraction of reads',
        tone: 'accent',
        findings: found.findings,
        unlisted: found.unlisted,
        medium,
      }),
    );
  }
  return [{ id: 'mitochondrial', title: SECTION_TITLES.mitochondrial, blocks }];
}

interface GroupOptions {
  readonly caption: string;
  readonly tone: Table['tone'];
  readonly findings: readonly Finding[];
  readonly unlisted: number;
  readonly medium: Medium;
}

function variantBlocks({ unlisted, ...rest }: GroupOptions): readonly Block[] {
  const count = plural(rest.findings.length, 'variant');
  const more = unlistedText(unlisted);
  const table: Block = { kind: 'table', table: variantTable({ ...rest, count }) };
  return more === null ? [table] : [table, { kind: 'paragraph', text: more, muted: true }];
}

function glossaryTable(): Table {
  return {
    caption: 'Terms used in this report',
    tone: 'muted',
    columns: [
      { title: 'Term', share: 0.2 },
      { title: 'Meaning', share: 0.8 },
    ],
    rows: GLOSSARY.map(([term, meaning]) => [[line(term, 'strong')], [line(meaning)]]),
  };
}

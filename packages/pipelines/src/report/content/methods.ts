/** How the result was made: steps, sources and the digests that identify them. */
import { bases, clipped, grouped } from '../format.ts';
import { MAX_CELL_LETTERS } from '../limits.ts';
import { type ReportModel, reportId } from '../model.ts';
import { SECTION_TITLES } from '../words.ts';
import { type Cell, line, type Medium, type Section, type Table } from './blocks.ts';

export function methodsSection(model: ReportModel, medium: Medium): Section {
  const { sources } = model.methods;
  const { caller } = model;
  return {
    id: 'methods',
    title: SECTION_TITLES.methods,
    blocks: [
      {
        kind: 'paragraph',
        text: `Variants were called with ${caller.name} ${caller.version}. ${caller.reason}`,
      },
      { kind: 'table', table: stepsTable(model, medium) },
      sources.length === 0
        ? { kind: 'paragraph', text: 'No annotation source was given.' }
        : { kind: 'table', table: sourcesTable(model) },
    ],
  };
}

function stepsTable(model: ReportModel, medium: Medium): Table {
  const shown = (text: string) => (medium === 'pdf' ? clipped(text, MAX_CELL_LETTERS) : text);
  return {
    caption: 'Steps',
    tone: 'accent',
    columns: [
      { title: 'Step', share: 0.18 },
      { title: 'Tools', share: 0.2 },
      { title: 'What was done', share: 0.62 },
    ],
    rows: model.methods.steps.map((step): readonly Cell[] => [
      [line(step.title, 'strong')],
      step.tools.map((tool) => line(`${tool.name} ${tool.version}`)),
      [
        line(shown(step.description)),
        ...(step.command === null ? [] : [line(shown(step.command), 'code')]),
      ],
    ]),
  };
}

function sourcesTable(model: ReportModel): Table {
  return {
    caption: 'Annotation sources',
    tone: 'accent',
    columns: [
      { title: 'Source', share: 0.18 },
      { title: 'Release', share: 0.2 },
      { title: 'Used for, and digest of the file', share: 0.62 },
    ],
    rows: model.methods.sources.map((source) => [
      [line(source.name, 'strong')],
      [line(source.release ?? 'release not stated', source.release === null ? 'muted' : 'plain')],
      [line(source.usedFor), line(source.digest, 'code')],
    ]),
  };
}

/** Identifies what went in, so that the same result can be made again. */
export function provenanceSection(model: ReportModel): Section {
  const { reference, sample } = model;
  const size = `${grouped(reference.contigs)} contigs, ${bases(reference.lengthBases)}`;
  const entries: (readonly [string, readonly string[]])[] = [
    ['Report', [reportId(model), `format version ${model.formatVersion}`]],
    ['Provenance digest', [model.provenanceDigest]],
    ['Reported at', [model.reportedAt]],
    ['Reference', [`${reference.name} (${size})`, reference.digest]],
    ...sample.inputs.map((input): readonly [string, readonly string[]] => [
      'Input',
      [input.name, input.digest],
    ]),
  ];
  return {
    id: 'provenance',
    title: SECTION_TITLES.provenance,
    blocks: [
      {
        kind: 'paragraph',
        text:
          'The provenance digest covers inputs, parameters, reference and tool versions. The ' +
          'research object in the output folder lists every step, command and file.',
      },
      {
        kind: 'table',
        table: {
          caption: 'Identifiers',
          tone: 'accent',
          columns: [
            { title: 'What', share: 0.2 },
            { title: 'Name and digest', share: 0.8 },
          ],
          rows: entries.map(([what, lines]) => [
            [line(what, 'strong')],
            lines.map((text) => line(text, text.startsWith('sha256:') ? 'code' : 'plain')),
          ]),
        },
      },
    ],
  };
}

/**
 * The report as one self-contained HTML page: no script, no reference to anything outside, the
 * same sections, words and pictures as the PDF, long values whole.
 */
import type { Block, Cell, CellLine, Section, Table } from '../content/blocks.ts';
import { sections } from '../content/sections.ts';
import { dateText, shortDigest } from '../format.ts';
import { type ReportModel, reportId } from '../model.ts';
import { mark, stars } from '../plots/mark.ts';
import type { Scene } from '../plots/scene.ts';
import { kebab, sceneToSvg } from '../scene-to-svg.ts';
import {
  hasPathogenic,
  headline,
  keyFigures,
  PRODUCT,
  REPORT_TITLE,
  RESEARCH_USE,
  SECTION_TITLES,
  sequencingText,
  subline,
} from '../words.ts';
import { escapeHtml } from './escape.ts';
import { styleSheet } from './style.ts';

/** Wider pictures take a row of their own. */
const WIDE_PLOT = 400;
/** No script, no request: the page cannot do what a hostile value might ask for. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; font-src data:; img-src data:; " +
  "base-uri 'none'; form-action 'none'";

export function renderHtml(model: ReportModel): string {
  const title = escapeHtml(`${REPORT_TITLE} ${model.sample.id} ${reportId(model)}`);
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="robots" content="noindex">',
    `<title>${title}</title>`,
    `<style>\n${styleSheet(shortDigest(model.provenanceDigest))}\n</style>`,
    '</head>',
    '<body>',
    '<a class="skip" href="#variants">Skip to the variants of interest</a>',
    band(model),
    '<main class="wrap">',
    facts(model),
    summary(model),
    ...sections(model, 'html').map(section),
    '</main>',
    foot(model),
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

function band(model: ReportModel): string {
  return (
    `<header class="band"><div class="wrap"><div class="mark">` +
    `${sceneToSvg(mark(), { decorative: true })}<div><p class="word">${PRODUCT}</p>` +
    `<h1>${REPORT_TITLE}</h1></div></div>` +
    `<p class="ids"><strong>${reportId(model)}</strong><br>` +
    `<time datetime="${escapeHtml(model.reportedAt)}">${dateText(model.reportedAt)}</time><br>` +
    `${RESEARCH_USE}</p></div></header>`
  );
}

function facts(model: ReportModel): string {
  const entries: readonly (readonly [string, string])[] = [
    ['Sample', model.sample.id],
    ['Reference', model.reference.name],
    ['Sequencing', sequencingText(model.sample)],
    ['Provenance digest', shortDigest(model.provenanceDigest)],
  ];
  return `<dl class="facts">${entries.map(definition).join('')}</dl>`;
}

function definition([name, value]: readonly [string, string]): string {
  return `<div><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd></div>`;
}

function summary(model: ReportModel): string {
  const found = hasPathogenic(model) ? ' found' : '';
  return (
    `<section class="summary${found}" aria-labelledby="summary-title">` +
    `<h2 id="summary-title">${SECTION_TITLES.summary}</h2>` +
    `<p class="lead">${escapeHtml(headline(model))}</p>` +
    `<p>${escapeHtml(subline(model))}</p>` +
    `<dl>${keyFigures(model).map(definition).join('')}</dl></section>`
  );
}

function section({ id, title, blocks }: Section): string {
  return (
    `<section aria-labelledby="${id}"><h2 id="${id}">${escapeHtml(title)}</h2>\n` +
    `${blocks.map(block).join('\n')}</section>`
  );
}

function block(one: Block): string {
  switch (one.kind) {
    case 'paragraph':
      return `<p${one.muted === true ? ' class="muted"' : ''}>${escapeHtml(one.text)}</p>`;
    case 'note':
      return `<p class="note ${one.tone}">${escapeHtml(one.text)}</p>`;
    case 'list':
      return `<ul>${one.items.map((item) => `<li>${escapeHtml(item)}</li>`).join('')}</ul>`;
    case 'table':
      return table(one.table);
    case 'plots':
      return `<div class="plots">${one.scenes.map(figure).join('\n')}</div>`;
  }
}

function table({ caption, count, tone, columns, rows }: Table): string {
  const right = (at: number) => (columns[at]?.align === 'right' ? ' class="right"' : '');
  const widths = columns.map(({ share }) => `<col style="width:${Math.round(share * 100)}%">`);
  const heads = columns.map(
    ({ title }, at) => `<th scope="col"${right(at)}>${escapeHtml(title)}</th>`,
  );
  const told = count === undefined ? '' : ` <span>${escapeHtml(count)}</span>`;
  const body = rows.map(
    (row) => `<tr>${row.map((one, at) => `<td${right(at)}>${cell(one)}</td>`).join('')}</tr>`,
  );
  return (
    `<div class="table" role="region" tabindex="0" aria-label="${escapeHtml(caption)}">` +
    `<table style="--tone:var(--${kebab(tone)})">` +
    `<caption>${escapeHtml(caption)}${told}</caption>` +
    `<colgroup>${widths.join('')}</colgroup><thead><tr>${heads.join('')}</tr></thead>\n` +
    `<tbody>${body.join('\n')}</tbody></table></div>`
  );
}

function cell(lines: Cell): string {
  return lines.map(cellLine).join('');
}

function cellLine(line: CellLine): string {
  const drawn =
    line.stars === undefined ? '' : `<p class="stars">${sceneToSvg(stars(line.stars))}</p>`;
  const text =
    line.full === undefined
      ? escapeHtml(line.text)
      : `<details><summary>${escapeHtml(line.text)}</summary>${escapeHtml(line.full)}</details>`;
  const tone = line.tone === undefined ? '' : ` style="color:var(--${kebab(line.tone)})"`;
  if (line.look === 'badge') {
    return `${drawn}<p><span class="badge ${line.tone ?? ''}"${tone}>${text}</span></p>`;
  }
  const look = line.look === 'plain' ? '' : ` class="${line.look}"`;
  return `${drawn}<div${look}${tone}>${text}</div>`;
}

function figure(scene: Scene): string {
  const wide = scene.width > WIDE_PLOT ? ' class="wide"' : '';
  return (
    `<figure${wide}><figcaption>${escapeHtml(scene.title)}</figcaption>` +
    `${sceneToSvg(scene)}</figure>`
  );
}

function foot(model: ReportModel): string {
  return (
    `<div class="wrap"><footer><strong>${RESEARCH_USE}</strong>` +
    `<span>Provenance ${escapeHtml(model.provenanceDigest)}</span>` +
    `<span>${escapeHtml(model.sample.id)} · ${reportId(model)}</span></footer></div>`
  );
}

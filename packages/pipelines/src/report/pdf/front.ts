/** Page 1: the band with the name mark, what was examined, and the summary. */
import { dateText, shortDigest } from '../format.ts';
import { type ReportModel, reportId } from '../model.ts';
import { mark } from '../plots/mark.ts';
import type { Tone } from '../plots/scene.ts';
import { sceneToPdf } from '../scene-to-pdf.ts';
import { LIGHT } from '../tones.ts';
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
import { CONTENT_WIDTH, MARGIN, PAGE_WIDTH, type Sheet } from './sheet.ts';
import { LEADING, type TextStyle } from './typesetter.ts';

const BAND_HEIGHT = 76;
const LABEL: TextStyle = { face: 'regular', size: 7.5, tone: 'muted' };
const VALUE: TextStyle = { face: 'semibold', size: 9.5, tone: 'ink' };

export function drawFront(sheet: Sheet, model: ReportModel): void {
  band(sheet, model);
  facts(sheet, model);
  summary(sheet, model);
}

function band(sheet: Sheet, model: ReportModel): void {
  sheet.artifact(() => {
    sheet.rect([0, 0], [PAGE_WIDTH, BAND_HEIGHT], 'brand');
    sheet.rect([0, BAND_HEIGHT], [PAGE_WIDTH, 3], 'accent');
    sceneToPdf(sheet.type, mark(), [MARGIN - 4, 25]);
  });
  const { type } = sheet;
  sheet.tagged('P', () => {
    type.line(PRODUCT, MARGIN + 26, 22, { face: 'bold', size: 19, tone: 'onBrand' });
  });
  sheet.tagged('H1', () => {
    type.line(REPORT_TITLE, MARGIN + 26, 45, { face: 'regular', size: 10, tone: 'onBrandMuted' });
  });
  sheet.tagged('P', () => {
    const right = (text: string, y: number, style: TextStyle) =>
      type.line(text, PAGE_WIDTH - MARGIN - type.width(text, style), y, style);
    const id: TextStyle = { face: 'semibold', size: 11, tone: 'onBrand' };
    const small: TextStyle = { face: 'regular', size: 8.5, tone: 'onBrandMuted' };
    right(reportId(model), 20, id);
    right(dateText(model.reportedAt), 35, small);
    right(RESEARCH_USE, 48, small);
  });
  sheet.y = BAND_HEIGHT + 18;
}

/** Labels over values in columns. */
function facts(sheet: Sheet, model: ReportModel): void {
  const entries: readonly (readonly [string, string])[] = [
    ['Sample', model.sample.id],
    ['Reference', model.reference.name],
    ['Sequencing', sequencingText(model.sample)],
    ['Provenance digest', shortDigest(model.provenanceDigest)],
  ];
  const column = CONTENT_WIDTH / entries.length;
  const width = column - 10;
  let lines = 1;
  entries.forEach(([name, value], index) => {
    const x = MARGIN + index * column;
    const wrapped = sheet.type.wrap(value, VALUE, width, 3);
    lines = Math.max(lines, wrapped.length);
    sheet.tagged('P', () => {
      sheet.type.line(name, x, sheet.y, LABEL);
      wrapped.forEach((text, at) => {
        sheet.type.line(text, x, sheet.y + 11 + at * VALUE.size * LEADING, VALUE);
      });
    });
  });
  sheet.y += 11 + lines * VALUE.size * LEADING + 12;
}

function summary(sheet: Sheet, model: ReportModel): void {
  const tone: Tone = hasPathogenic(model) ? 'fail' : 'accent';
  const head: TextStyle = { face: 'semibold', size: 14.5, tone: tone === 'fail' ? 'fail' : 'ink' };
  const body: TextStyle = { face: 'regular', size: 9.5, tone: 'ink' };
  const inner = CONTENT_WIDTH - 32;
  const heads = sheet.type.wrap(headline(model), head, inner, 5);
  const bodies = sheet.type.wrap(subline(model), body, inner, 6);
  const textHeight = heads.length * head.size * 1.25 + bodies.length * body.size * LEADING;
  const height = 26 + textHeight + 12 + 36;
  const top = sheet.y;
  sheet.artifact(() => {
    sheet.rect([MARGIN, top], [CONTENT_WIDTH, height], 'panel');
    sheet.rect([MARGIN, top], [4, height], tone);
  });
  const x = MARGIN + 18;
  sheet.doc.outline.addItem(SECTION_TITLES.summary);
  sheet.tagged('H2', () =>
    sheet.type.line(SECTION_TITLES.summary.toUpperCase(), x, top + 10, LABEL),
  );
  let y = top + 23;
  sheet.tagged('P', () => {
    for (const text of heads) {
      sheet.type.line(text, x, y, head);
      y += head.size * 1.25;
    }
  });
  y += 2;
  sheet.tagged('P', () => {
    for (const text of bodies) {
      sheet.type.line(text, x, y, body);
      y += body.size * LEADING;
    }
  });
  tiles(sheet, model, y + 10);
  sheet.y = top + height + 2;
}

function tiles(sheet: Sheet, model: ReportModel, y: number): void {
  const x = MARGIN + 18;
  const figures = keyFigures(model);
  const column = (CONTENT_WIDTH - 32) / figures.length;
  sheet.artifact(() => {
    sheet.doc.moveTo(x, y - 3).lineTo(PAGE_WIDTH - MARGIN - 14, y - 3);
    sheet.doc.lineWidth(0.5).strokeColor(LIGHT.faint).stroke();
  });
  figures.forEach(([name, value], index) => {
    const left = x + index * column;
    const tone: Tone = index === 0 ? model.qc.verdict : 'ink';
    const style: TextStyle = { face: 'semibold', size: 12, tone };
    sheet.tagged('P', () => {
      sheet.type.line(name, left, y + 3, LABEL);
      sheet.type.line(sheet.type.fit(value, style, column - 8), left, y + 13, style);
    });
  });
}

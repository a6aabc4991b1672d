/** Head and foot of the pages, written last, when the number of pages is known. */
import { dateText, shortDigest } from '../format.ts';
import { type ReportModel, reportId } from '../model.ts';
import { PRODUCT, REPORT_TITLE, RESEARCH_USE } from '../words.ts';
import { MARGIN, PAGE_HEIGHT, PAGE_WIDTH, type Sheet } from './sheet.ts';
import type { TextStyle } from './typesetter.ts';

const SMALL: TextStyle = { face: 'regular', size: 7.5, tone: 'muted' };
const STRONG: TextStyle = { face: 'semibold', size: 7.5, tone: 'ink' };

export function drawRunningLines(sheet: Sheet, model: ReportModel): void {
  const pages = sheet.doc.bufferedPageRange().count;
  for (let index = 0; index < pages; index += 1) {
    sheet.doc.switchToPage(index);
    sheet.doc.markContent('Artifact', { type: 'Pagination' });
    if (index > 0) head(sheet, model);
    foot(sheet, model, `Page ${index + 1} of ${pages}`);
    sheet.doc.endMarkedContent();
  }
}

function head(sheet: Sheet, model: ReportModel): void {
  const { type } = sheet;
  const brand: TextStyle = { face: 'bold', size: 9, tone: 'brand' };
  const width = type.line(PRODUCT, MARGIN, 28, brand);
  type.line(REPORT_TITLE, MARGIN + width + 7, 29.3, SMALL);
  const fixedPart = `   ·   ${reportId(model)}   ·   ${dateText(model.reportedAt)}`;
  const room = 330 - type.width(fixedPart, SMALL);
  const text = `${type.fit(model.sample.id, SMALL, room)}${fixedPart}`;
  type.line(text, PAGE_WIDTH - MARGIN - type.width(text, SMALL), 29.3, SMALL);
  sheet.rule(44, 'brand', 0.75);
}

function foot(sheet: Sheet, model: ReportModel, page: string): void {
  const { type } = sheet;
  const y = PAGE_HEIGHT - 34;
  sheet.rule(y - 7, 'grid', 0.75);
  type.line(RESEARCH_USE, MARGIN, y, STRONG);
  const digest = `Provenance ${shortDigest(model.provenanceDigest)}`;
  type.line(digest, (PAGE_WIDTH - type.width(digest, SMALL)) / 2, y, SMALL);
  type.line(page, PAGE_WIDTH - MARGIN - type.width(page, SMALL), y, SMALL);
}

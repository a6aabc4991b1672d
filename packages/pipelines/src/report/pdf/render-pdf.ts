/**
 * The report as PDF 1.7, A4, tagged. The bytes are a function of the model and of the versions of
 * Node's zlib, pdfkit and the fonts: the date is the model's, and nothing is random.
 */
import PDFDocument from 'pdfkit';
import { sections } from '../content/sections.ts';
import { type ReportModel, reportId } from '../model.ts';
import { PRODUCT, REPORT_TITLE, RESEARCH_USE } from '../words.ts';
import { drawSection } from './body.ts';
import { drawFront } from './front.ts';
import { drawRunningLines } from './running.ts';
import { Sheet } from './sheet.ts';

export async function renderPdf(model: ReportModel): Promise<Uint8Array> {
  const date = new Date(model.reportedAt);
  const doc = new PDFDocument({
    size: 'A4',
    margin: 0,
    pdfVersion: '1.7',
    lang: 'en',
    tagged: true,
    displayTitle: true,
    bufferPages: true,
    info: {
      Title: `${REPORT_TITLE} ${model.sample.id} ${reportId(model)}`,
      Author: PRODUCT,
      Creator: PRODUCT,
      Producer: PRODUCT,
      Subject: RESEARCH_USE,
      CreationDate: date,
      ModDate: date,
    },
  });
  const chunks: Uint8Array[] = [];
  const finished = new Promise<void>((resolve, reject) => {
    doc.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    doc.on('end', resolve);
    doc.on('error', reject);
  });
  const sheet = new Sheet(doc);
  drawFront(sheet, model);
  for (const section of sections(model, 'pdf')) drawSection(sheet, section);
  drawRunningLines(sheet, model);
  doc.end();
  await finished;
  return Buffer.concat(chunks);
}

/** Lays out sections: headings, paragraphs, notes, lists, tables and plots. */
import type { Block, Section } from '../content/blocks.ts';
import type { Scene } from '../plots/scene.ts';
import { sceneToPdf } from '../scene-to-pdf.ts';
import { BODY, CONTENT_WIDTH, MARGIN, type Sheet, SMALL } from './sheet.ts';
import { drawTable } from './table.ts';
import { LEADING, type TextStyle } from './typesetter.ts';

const PLOT_TITLE: TextStyle = { face: 'semibold', size: 9, tone: 'ink' };
const TITLE_HEIGHT = 15;
const GAP = 15;

export function drawSection(sheet: Sheet, section: Section): void {
  sheet.heading(section.title, 90);
  for (const block of section.blocks) drawBlock(sheet, block);
}

function drawBlock(sheet: Sheet, block: Block): void {
  switch (block.kind) {
    case 'paragraph':
      sheet.paragraph(block.text, block.muted === true ? SMALL : BODY, 10);
      return;
    case 'note':
      drawNote(sheet, block.text, block.tone);
      return;
    case 'list':
      drawList(sheet, block.items);
      return;
    case 'table':
      drawTable(sheet, block.table);
      return;
    case 'plots':
      drawPlots(sheet, block.scenes);
      return;
  }
}

function drawNote(sheet: Sheet, text: string, tone: 'warn' | 'accent'): void {
  const style: TextStyle = { ...BODY, size: 8.5 };
  const lines = sheet.type.wrap(text, style, CONTENT_WIDTH - 24);
  const height = lines.length * style.size * LEADING + 12;
  sheet.ensure(height);
  sheet.artifact(() => {
    const tint = tone === 'warn' ? 'warnTint' : 'panel';
    sheet.rect([MARGIN, sheet.y], [CONTENT_WIDTH, height], tint);
    sheet.rect([MARGIN, sheet.y], [3, height], tone);
  });
  sheet.tagged('Note', () => {
    lines.forEach((line, index) => {
      sheet.type.line(line, MARGIN + 12, sheet.y + 6 + index * style.size * LEADING, style);
    });
  });
  sheet.y += height + 10;
}

function drawList(sheet: Sheet, items: readonly string[]): void {
  const indent = 12;
  const height = BODY.size * LEADING;
  for (const item of items) {
    const lines = sheet.type.wrap(item, BODY, CONTENT_WIDTH - indent);
    sheet.ensure(Math.min(lines.length, 4) * height);
    sheet.tagged('P', () => {
      sheet.type.line('•', MARGIN + 2, sheet.y, { ...BODY, tone: 'accent' });
      for (const line of lines) {
        sheet.ensure(height);
        sheet.type.line(line, MARGIN + indent, sheet.y, BODY);
        sheet.y += height;
      }
    });
    sheet.y += 3;
  }
  sheet.y += 6;
}

/** Wide plots in a row of their own, narrow ones two and two. */
function drawPlots(sheet: Sheet, scenes: readonly Scene[]): void {
  const rows: Scene[][] = [];
  for (const scene of scenes) {
    const last = rows.at(-1);
    const used = last?.reduce((sum, one) => sum + one.width + GAP, 0) ?? 0;
    if (last !== undefined && used + scene.width <= CONTENT_WIDTH + 1) last.push(scene);
    else rows.push([scene]);
  }
  for (const row of rows) {
    const height = Math.max(...row.map((scene) => scene.height)) + TITLE_HEIGHT;
    sheet.ensure(height);
    let x = MARGIN;
    for (const scene of row) {
      const left = x;
      const alt = `${scene.title}. ${scene.description}`;
      const draw = () => {
        sheet.type.line(scene.title, left, sheet.y, PLOT_TITLE);
        sceneToPdf(sheet.type, scene, [left, sheet.y + TITLE_HEIGHT]);
      };
      sheet.tagged('Figure', draw, undefined, alt);
      x += scene.width + GAP;
    }
    sheet.y += height + 10;
  }
}

/** Lays out a table: wrapped cells, rows kept whole, the head repeated on every page. */
import type { Cell, CellLine, Column, Look, Table } from '../content/blocks.ts';
import { MAX_CELL_LINES } from '../limits.ts';
import { stars } from '../plots/mark.ts';
import type { Tone } from '../plots/scene.ts';
import { sceneToPdf } from '../scene-to-pdf.ts';
import { CONTENT_WIDTH, MARGIN, type Sheet } from './sheet.ts';
import { LEADING, type TextStyle } from './typesetter.ts';

const PAD_X = 5;
const PAD_Y = 4.5;
const HEAD: TextStyle = { face: 'semibold', size: 7.5, tone: 'muted' };
const CAPTION: TextStyle = { face: 'semibold', size: 10, tone: 'ink' };
const STARS_SIZE = 6.5;

const LOOKS: Readonly<Record<Look, TextStyle>> = {
  plain: { face: 'regular', size: 8, tone: 'ink' },
  strong: { face: 'semibold', size: 8, tone: 'ink' },
  gene: { face: 'semibold-italic', size: 9.5, tone: 'ink' },
  muted: { face: 'regular', size: 7.5, tone: 'muted' },
  small: { face: 'regular', size: 7, tone: 'muted' },
  code: { face: 'regular', size: 7.5, tone: 'ink' },
  badge: { face: 'semibold', size: 7.5, tone: 'ink' },
};

interface SetLine {
  readonly text: string;
  readonly style: TextStyle;
  readonly stars: number | null;
  readonly badge: boolean;
}

interface Place {
  readonly x: number;
  readonly width: number;
  readonly align: 'left' | 'right';
}

export function drawTable(sheet: Sheet, table: Table): void {
  const places = placesOf(table.columns);
  const rows = table.rows.map((row) => row.map((cell, at) => setCell(sheet, cell, places[at])));
  const firstRow = rows[0] === undefined ? 0 : rowHeight(rows[0]);
  sheet.ensure(44 + firstRow);
  const element = sheet.open('Table');
  caption(sheet, table, element);
  head(sheet, table, places, element);
  for (const row of rows) {
    const height = rowHeight(row);
    if (sheet.ensure(height)) sheet.artifact(() => headWords(sheet, table, places));
    const tagged = sheet.open('TR', element);
    row.forEach((lines, at) => {
      const place = places[at];
      if (place === undefined) return;
      sheet.tagged('TD', () => drawCell(sheet, lines, place), tagged);
    });
    tagged.end();
    sheet.y += height;
    sheet.artifact(() => sheet.rule(sheet.y));
  }
  element.end();
  sheet.y += 12;
}

function caption(sheet: Sheet, table: Table, parent: PDFKit.PDFStructureElement): void {
  sheet.artifact(() => sheet.rect([MARGIN, sheet.y + 0.5], [3, 13], table.tone));
  sheet.tagged(
    'Caption',
    () => {
      const x = MARGIN + 9;
      const width = sheet.type.line(table.caption, x, sheet.y, CAPTION);
      if (table.count === undefined) return;
      const style = { ...LOOKS.muted, size: 8 };
      sheet.type.line(table.count, x + width + 8, sheet.y + 1.9, style);
    },
    parent,
  );
  sheet.y += 18;
}

function head(
  sheet: Sheet,
  table: Table,
  places: readonly Place[],
  parent: PDFKit.PDFStructureElement,
): void {
  const row = sheet.open('TR', parent);
  sheet.artifact(() => sheet.rect([MARGIN, sheet.y], [CONTENT_WIDTH, 16], 'panel'));
  table.columns.forEach((column, at) => {
    const place = places[at];
    if (place === undefined) return;
    sheet.tagged('TH', () => headWord(sheet, column, place), row);
  });
  row.end();
  sheet.y += 16;
}

function headWords(sheet: Sheet, table: Table, places: readonly Place[]): void {
  sheet.rect([MARGIN, sheet.y], [CONTENT_WIDTH, 16], 'panel');
  table.columns.forEach((column, at) => {
    const place = places[at];
    if (place !== undefined) headWord(sheet, column, place);
  });
  sheet.y += 16;
}

function headWord(sheet: Sheet, column: Column, place: Place): void {
  const width = sheet.type.width(column.title, HEAD);
  const x = place.align === 'right' ? place.x + place.width - width : place.x;
  sheet.type.line(column.title, x, sheet.y + 3.2, HEAD);
}

function placesOf(columns: readonly Column[]): readonly Place[] {
  let x = MARGIN;
  return columns.map((column) => {
    const width = column.share * CONTENT_WIDTH;
    const place = { x: x + PAD_X, width: width - 2 * PAD_X, align: column.align ?? 'left' };
    x += width;
    return place;
  });
}

function setCell(sheet: Sheet, cell: Cell, place: Place | undefined): readonly SetLine[] {
  if (place === undefined) return [];
  const lines = cell.flatMap((line) => setLine(sheet, line, place.width));
  if (lines.length <= MAX_CELL_LINES) return lines;
  const kept = lines.slice(0, MAX_CELL_LINES);
  const last = kept.at(-1);
  if (last === undefined) return kept;
  const text = sheet.type.fit(`${last.text} …`, last.style, place.width);
  return [...kept.slice(0, -1), { ...last, text }];
}

function setLine(sheet: Sheet, line: CellLine, width: number): readonly SetLine[] {
  const style = { ...LOOKS[line.look], tone: line.tone ?? LOOKS[line.look].tone };
  const badge = line.look === 'badge';
  const texts = sheet.type.wrap(line.text, style, width, MAX_CELL_LINES);
  const set = texts.map((text): SetLine => ({ text, style, stars: null, badge }));
  if (line.stars === undefined) return set;
  return [{ text: '', style, stars: line.stars, badge: false }, ...set];
}

function lineHeight(line: SetLine): number {
  return line.style.size * LEADING + (line.badge ? 2 : 0);
}

function rowHeight(row: readonly (readonly SetLine[])[]): number {
  const heights = row.map((lines) => lines.reduce((sum, line) => sum + lineHeight(line), 0));
  return Math.max(...heights, 0) + 2 * PAD_Y;
}

function drawCell(sheet: Sheet, lines: readonly SetLine[], place: Place): void {
  let y = sheet.y + PAD_Y;
  for (const line of lines) {
    if (line.stars !== null) {
      sceneToPdf(sheet.type, stars(line.stars, STARS_SIZE), [place.x, y + 1.6]);
    } else if (line.badge) drawBadge(sheet, line, [place.x, y]);
    else {
      const width = place.align === 'right' ? sheet.type.width(line.text, line.style) : place.width;
      sheet.type.line(line.text, place.x + place.width - width, y, line.style);
    }
    y += lineHeight(line);
  }
}

const TINTS: Readonly<Partial<Record<Tone, Tone>>> = {
  pass: 'passTint',
  warn: 'warnTint',
  fail: 'failTint',
};

function drawBadge(sheet: Sheet, line: SetLine, at: readonly [number, number]): void {
  const width = sheet.type.width(line.text, line.style);
  const tint = TINTS[line.style.tone] ?? 'panel';
  const item = { kind: 'rect', at: [0, 0], size: [width + 10, 11.5], radius: 5.75 } as const;
  const badge = { title: '', description: '', items: [{ ...item, tone: tint }] };
  sceneToPdf(sheet.type, { ...badge, width: 0, height: 0 }, at);
  sheet.type.line(line.text, at[0] + 5, at[1] + 0.6, line.style);
}

/**
 * The report's body as blocks: paragraphs, tables, lists and plots under section titles. Built
 * once from the model; the PDF and the HTML page only lay it out.
 */
import type { Scene, Tone } from '../plots/scene.ts';

export type Look = 'plain' | 'strong' | 'gene' | 'muted' | 'small' | 'code' | 'badge';

/** One line or wrapped paragraph of a table cell. */
export interface CellLine {
  readonly text: string;
  /** The whole of what `text` shortens; the page shows it on demand. */
  readonly full?: string;
  readonly look: Look;
  readonly tone?: Tone;
  /** Drawn before the text: ClinVar's review stars. */
  readonly stars?: number;
}
export type Cell = readonly CellLine[];

export interface Column {
  readonly title: string;
  /** Share of the table's width; the shares of a table add up to 1. */
  readonly share: number;
  readonly align?: 'left' | 'right';
}

export interface Table {
  readonly caption: string;
  /** Stands after the caption, e.g. how many rows. */
  readonly count?: string;
  /** Colour of the rule beside the caption. */
  readonly tone: Tone;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
}

export type Block =
  | { readonly kind: 'paragraph'; readonly text: string; readonly muted?: boolean }
  | { readonly kind: 'note'; readonly text: string; readonly tone: 'warn' | 'accent' }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  | { readonly kind: 'table'; readonly table: Table }
  | { readonly kind: 'plots'; readonly scenes: readonly Scene[] };

export interface Section {
  readonly id: string;
  readonly title: string;
  readonly blocks: readonly Block[];
}

/** HTML and JSON hold long values whole; a PDF cell is cut so that no row outgrows a page. */
export type Medium = 'pdf' | 'html';

/** `short` with the whole behind it, where they differ. */
export function shortened(short: string, full: string, look: Look = 'plain'): CellLine {
  return short === full ? { text: full, look } : { text: short, full, look };
}

export function line(text: string, look: Look = 'plain', tone?: Tone): CellLine {
  return tone === undefined ? { text, look } : { text, look, tone };
}

/**
 * Sets lines of text in a PDF: picks the font file that has each letter, measures, wraps, cuts.
 * Lines are set one by one, so nothing depends on a library's own flow.
 */
import { ALPHABETS, type Face, fontFile } from '../fonts.ts';
import type { Tone } from '../plots/scene.ts';
import { LIGHT } from '../tones.ts';
import { sfntOf } from '../woff.ts';

export interface TextStyle {
  readonly face: Face;
  /** Points. */
  readonly size: number;
  readonly tone: Tone;
}

type Document = PDFKit.PDFDocument;
interface Run {
  readonly font: string;
  readonly text: string;
}
/** What pdfkit keeps of an opened font; only the look-up of letters is used here. */
interface OpenedFont {
  readonly font: { hasGlyphForCodePoint(codePoint: number): boolean };
}

/** Height of a line as a multiple of the size. */
export const LEADING = 1.32;
/** Baseline below the top of a line, as a multiple of the size. */
const ASCENT = 0.98;
/** Letters that Source Sans lacks and that have a plain spelling. */
const SPELLINGS: Readonly<Record<string, string>> = {
  '≥': '>=',
  '≤': '<=',
  '→': '->',
  '←': '<-',
  '\u00ad': '',
  '\u200b': '',
  '\t': ' ',
  '\n': ' ',
  '\r': ' ',
};

export class Typesetter {
  readonly doc: Document;
  readonly #letters = new Map<string, string>();
  readonly #widths = new Map<string, number>();
  readonly #registered = new Set<string>();

  constructor(doc: Document) {
    this.doc = doc;
  }

  /** Points. */
  width(text: string, style: Pick<TextStyle, 'face' | 'size'>): number {
    const key = `${style.face}\u0000${text}`;
    const known = this.#widths.get(key);
    if (known !== undefined) return known * style.size;
    let width = 0;
    for (const run of this.#runs(text, style.face)) {
      width += this.doc.font(run.font).fontSize(100).widthOfString(run.text) / 100;
    }
    this.#widths.set(key, width);
    return width * style.size;
  }

  /** Lines no wider than `width`; beyond `maxLines` the last one ends in `…`. */
  wrap(text: string, style: TextStyle, width: number, maxLines = 1000): readonly string[] {
    const lines: string[] = [];
    let current = '';
    for (const piece of pieces(text)) {
      if (this.width((current + piece).trimEnd(), style) <= width) {
        current += piece;
        continue;
      }
      if (current.trim() !== '') lines.push(current.trimEnd());
      current = this.#hardBreak(piece, style, width, lines);
    }
    if (current.trim() !== '' || lines.length === 0) lines.push(current.trimEnd());
    if (lines.length <= maxLines) return lines;
    const kept = lines.slice(0, maxLines);
    kept[maxLines - 1] = this.fit(`${kept[maxLines - 1] ?? ''} …`, style, width);
    return kept;
  }

  /** `text` cut from its end until it is no wider than `width`. */
  fit(text: string, style: TextStyle, width: number): string {
    if (this.width(text, style) <= width) return text;
    const letters = [...text.replace(/…$/, '')];
    while (letters.length > 1 && this.width(`${letters.join('').trimEnd()}…`, style) > width) {
      letters.pop();
    }
    return `${letters.join('').trimEnd()}…`;
  }

  /** Sets one line with its top at `y`. Returns its width. */
  line(text: string, x: number, y: number, style: TextStyle): number {
    return this.baseline(text, x, y + style.size * ASCENT, style);
  }

  /** Sets one line with its baseline at `y`. */
  baseline(text: string, x: number, y: number, style: TextStyle): number {
    let at = x;
    for (const run of this.#runs(text, style.face)) {
      this.doc.font(run.font).fontSize(style.size).fillColor(LIGHT[style.tone]);
      this.doc.text(run.text, at, y, { lineBreak: false, baseline: 'alphabetic' });
      at += this.doc.widthOfString(run.text);
    }
    return at - x;
  }

  /** A word that is wider than the column is broken between letters. */
  #hardBreak(piece: string, style: TextStyle, width: number, lines: string[]): string {
    let current = '';
    for (const letter of piece) {
      if (current !== '' && this.width((current + letter).trimEnd(), style) > width) {
        lines.push(current.trimEnd());
        current = '';
      }
      current += letter;
    }
    return current;
  }

  #runs(text: string, face: Face): readonly Run[] {
    const runs: Run[] = [];
    for (const raw of text) {
      for (const letter of SPELLINGS[raw] ?? raw) {
        const font = this.#fontOf(letter, face);
        const last = runs.at(-1);
        const shown = font === null ? '?' : letter;
        const name = font ?? this.#register(face, 'latin');
        if (last?.font === name) runs[runs.length - 1] = { font: name, text: last.text + shown };
        else runs.push({ font: name, text: shown });
      }
    }
    return runs;
  }

  #fontOf(letter: string, face: Face): string | null {
    const key = `${face}${letter}`;
    const known = this.#letters.get(key);
    if (known !== undefined) return known;
    for (const alphabet of ALPHABETS) {
      const name = this.#register(face, alphabet);
      this.doc.font(name);
      const opened = (this.doc as unknown as { _font: OpenedFont })._font;
      if (!opened.font.hasGlyphForCodePoint(letter.codePointAt(0) ?? 0)) continue;
      this.#letters.set(key, name);
      return name;
    }
    return null;
  }

  #register(face: Face, alphabet: (typeof ALPHABETS)[number]): string {
    const name = `${alphabet}-${face}`;
    if (!this.#registered.has(name)) {
      this.doc.registerFont(name, sfntOf(fontFile(face, alphabet, 'woff')));
      this.#registered.add(name);
    }
    return name;
  }
}

/**
 * Where a line may break: after spaces (not before %), and after joints of technical words, but not
 * inside of a figure such as 4,812,377.
 */
function pieces(text: string): readonly string[] {
  return text.match(/\S*?(?:[/:;>_&|)](?=\S)|,(?=[^\s\d]))|\S+(?: [%×])?\s*|\s+/gu) ?? [];
}

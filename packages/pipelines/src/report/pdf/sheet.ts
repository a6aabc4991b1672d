/** The pages of a PDF: margins, the place to write next, page breaks and the structure tree. */
import type { Tone } from '../plots/scene.ts';
import { LIGHT } from '../tones.ts';
import { LEADING, type TextStyle, Typesetter } from './typesetter.ts';

/** A4 in points. */
export const PAGE_WIDTH = 595.28;
export const PAGE_HEIGHT = 841.89;
export const MARGIN = 40;
export const CONTENT_WIDTH = PAGE_WIDTH - 2 * MARGIN;
/** Below the running head, above the foot. */
export const CONTENT_TOP = 64;
export const CONTENT_BOTTOM = PAGE_HEIGHT - 54;

export const BODY: TextStyle = { face: 'regular', size: 9, tone: 'ink' };
export const SMALL: TextStyle = { face: 'regular', size: 7.5, tone: 'muted' };

type Element = PDFKit.PDFStructureElement;

export class Sheet {
  readonly doc: PDFKit.PDFDocument;
  readonly type: Typesetter;
  /** Top of what comes next. */
  y = CONTENT_TOP;

  constructor(doc: PDFKit.PDFDocument) {
    this.doc = doc;
    this.type = new Typesetter(doc);
  }

  /** Starts a page where fewer than `height` points are left. True when it did. */
  ensure(height: number): boolean {
    if (this.y + height <= CONTENT_BOTTOM) return false;
    this.newPage();
    return true;
  }

  newPage(): void {
    this.doc.addPage();
    this.y = CONTENT_TOP;
  }

  /** Draws under a tag of the structure tree, which screen readers follow. */
  tagged(tag: string, draw: () => void, parent?: Element, alt?: string): void {
    const options = alt === undefined ? {} : { alt };
    const element = this.doc.struct(tag, options, draw);
    if (parent === undefined) this.doc.addStructure(element);
    else parent.add(element);
    element.end();
  }

  /** An element that is filled while it is open; end it when it is complete. */
  open(tag: string, parent?: Element): Element {
    const element = this.doc.struct(tag);
    if (parent === undefined) this.doc.addStructure(element);
    else parent.add(element);
    return element;
  }

  /** Draws what is decoration or repeats on every page. */
  artifact(draw: () => void): void {
    this.doc.markContent('Artifact', { type: 'Layout' });
    draw();
    this.doc.endMarkedContent();
  }

  rect(at: readonly [number, number], size: readonly [number, number], tone: Tone): void {
    this.doc.rect(at[0], at[1], size[0], size[1]).fill(LIGHT[tone]);
  }

  rule(y: number, tone: Tone = 'grid', width = 0.5): void {
    this.doc
      .moveTo(MARGIN, y)
      .lineTo(PAGE_WIDTH - MARGIN, y)
      .lineWidth(width)
      .strokeColor(LIGHT[tone])
      .stroke();
  }

  /** Wrapped text at the margin, broken over pages line by line. */
  paragraph(text: string, style: TextStyle = BODY, after = 6): void {
    const lines = this.type.wrap(text, style, CONTENT_WIDTH);
    const height = style.size * LEADING;
    this.ensure(Math.min(lines.length, 3) * height);
    this.tagged('P', () => {
      for (const line of lines) {
        this.ensure(height);
        this.type.line(line, MARGIN, this.y, style);
        this.y += height;
      }
    });
    this.y += after;
  }

  /** A section's title; `room` is kept free below it on the same page. */
  heading(text: string, room: number): void {
    const style: TextStyle = { face: 'semibold', size: 14, tone: 'brand' };
    if (this.y > CONTENT_TOP) this.y += 12;
    this.ensure(26 + room);
    this.doc.outline.addItem(text);
    this.tagged('H2', () => this.type.line(text, MARGIN, this.y, style));
    this.artifact(() => this.rule(this.y + 20, 'brand', 0.75));
    this.y += 28;
  }
}

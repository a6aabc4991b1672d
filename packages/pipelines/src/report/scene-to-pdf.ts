/** Paints a scene into a PDF at a place on the current page. */
import type { Typesetter } from './pdf/typesetter.ts';
import type { Point, Scene, SceneItem } from './plots/scene.ts';
import { LIGHT } from './tones.ts';

/** `at` is the scene's upper left corner. */
export function sceneToPdf(type: Typesetter, scene: Scene, at: Point): void {
  type.doc.save().translate(at[0], at[1]);
  for (const item of scene.items) paint(type, item);
  type.doc.restore();
}

function paint(type: Typesetter, item: SceneItem): void {
  const { doc } = type;
  const colour = LIGHT[item.tone];
  switch (item.kind) {
    case 'line':
      doc.moveTo(...item.from).lineTo(...item.to);
      doc.lineWidth(item.width).lineCap('butt').strokeColor(colour);
      if (item.dash === undefined) doc.undash();
      else doc.dash(item.dash, { space: item.dash });
      doc.stroke().undash();
      return;
    case 'rect':
      if (item.radius === undefined) doc.rect(...item.at, ...item.size);
      else doc.roundedRect(...item.at, ...item.size, item.radius);
      doc.fill(colour);
      return;
    case 'polyline':
      if (item.points.length < 2) return;
      trace(doc, item.points);
      doc.lineWidth(item.width).lineJoin('round').lineCap('round').strokeColor(colour).stroke();
      return;
    case 'polygon':
      trace(doc, item.points);
      doc.closePath().fill(colour);
      return;
    case 'text': {
      const face = item.bold === true ? 'semibold' : 'regular';
      const style = { face, size: item.size, tone: item.tone } as const;
      const width = item.anchor === undefined ? 0 : type.width(item.text, style);
      const shift = item.anchor === 'middle' ? width / 2 : item.anchor === 'end' ? width : 0;
      type.baseline(item.text, item.at[0] - shift, item.at[1], style);
      return;
    }
  }
}

function trace(doc: PDFKit.PDFDocument, points: readonly Point[]): void {
  points.forEach(([x, y], index) => {
    if (index === 0) doc.moveTo(x, y);
    else doc.lineTo(x, y);
  });
}

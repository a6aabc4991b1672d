/**
 * A picture as data: lines, rectangles, polygons and words in points, y downwards. Two painters
 * draw it, one as SVG and one into the PDF, so that both documents show the same pictures.
 * Colours are roles, not values: a painter knows its paper.
 */
export type Tone =
  | 'ink'
  | 'muted'
  | 'faint'
  | 'grid'
  | 'paper'
  | 'panel'
  | 'brand'
  | 'accent'
  | 'second'
  | 'fill'
  | 'pass'
  | 'warn'
  | 'fail'
  | 'passTint'
  | 'warnTint'
  | 'failTint'
  | 'onBrand'
  | 'onBrandMuted';

export type Point = readonly [x: number, y: number];

export type SceneItem =
  | {
      readonly kind: 'line';
      readonly from: Point;
      readonly to: Point;
      readonly tone: Tone;
      readonly width: number;
      readonly dash?: number;
    }
  | {
      readonly kind: 'rect';
      readonly at: Point;
      readonly size: Point;
      readonly tone: Tone;
      readonly radius?: number;
    }
  | {
      readonly kind: 'polyline';
      readonly points: readonly Point[];
      readonly tone: Tone;
      readonly width: number;
    }
  | { readonly kind: 'polygon'; readonly points: readonly Point[]; readonly tone: Tone }
  | {
      readonly kind: 'text';
      /** Baseline. */
      readonly at: Point;
      readonly text: string;
      readonly size: number;
      readonly tone: Tone;
      readonly anchor?: 'start' | 'middle' | 'end';
      readonly bold?: boolean;
    };

export interface Scene {
  readonly width: number;
  readonly height: number;
  readonly title: string;
  /** What a reader who cannot see the picture is told. */
  readonly description: string;
  readonly items: readonly SceneItem[];
}

/** Two decimals: enough for print, and the same text on every machine. */
export function rounded(value: number): number {
  const result = Math.round(value * 100) / 100;
  return Object.is(result, -0) ? 0 : result;
}

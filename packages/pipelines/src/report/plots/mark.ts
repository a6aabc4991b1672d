/** The mark beside the product's name: two strands with rungs. */
import { type Point, rounded, type Scene, type SceneItem, type Tone } from './scene.ts';

const SIZE = 24;
const RUNGS = 5;

export function mark(tone: Tone = 'onBrand', rungTone: Tone = 'onBrandMuted'): Scene {
  const strand = (phase: number): Point[] =>
    Array.from({ length: 33 }, (_, index): Point => {
      const share = index / 32;
      const x = SIZE / 2 + 7 * Math.sin(share * 2 * Math.PI + phase);
      return [rounded(x), rounded(2 + share * (SIZE - 4))];
    });
  const [a, b] = [strand(0), strand(Math.PI)];
  const rungs = Array.from({ length: RUNGS }, (_, index): SceneItem => {
    const at = 4 + index * 6;
    return {
      kind: 'line',
      from: a[at] ?? [0, 0],
      to: b[at] ?? [0, 0],
      tone: rungTone,
      width: 1.2,
    };
  });
  return {
    width: SIZE,
    height: SIZE,
    title: 'Helixmesh',
    description: 'Two strands with rungs',
    items: [
      ...rungs,
      { kind: 'polyline', points: a, tone, width: 2 },
      { kind: 'polyline', points: b, tone, width: 2 },
    ],
  };
}

/** `filled` of four five-pointed stars in a row. */
export function stars(filled: number, size = 7): Scene {
  const items: SceneItem[] = [];
  for (let index = 0; index < 4; index += 1) {
    const centre = size / 2 + index * (size + 1.5);
    const points = Array.from({ length: 10 }, (_, corner): Point => {
      const radius = corner % 2 === 0 ? size / 2 : size / 5;
      const angle = (corner * Math.PI) / 5 - Math.PI / 2;
      return [
        rounded(centre + radius * Math.cos(angle)),
        rounded(size / 2 + radius * Math.sin(angle)),
      ];
    });
    items.push({ kind: 'polygon', points, tone: index < filled ? 'warn' : 'grid' });
  }
  return {
    width: 4 * size + 3 * 1.5,
    height: size,
    title: `${filled} of 4 review stars`,
    description: `${filled} of 4 review stars`,
    items,
  };
}

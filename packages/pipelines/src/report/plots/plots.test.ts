import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sceneToSvg } from '../scene-to-svg.ts';
import { sampleContigs, sampleQc } from '../testing/sample-qc.ts';
import { allPlots } from './all-plots.ts';
import { contigBars, weightedDepth } from './coverage-by-contig.ts';
import { niceCeiling, ticks } from './frame.ts';
import type { Point, Scene } from './scene.ts';

const numbers = { noNaN: true, noDefaultInfinity: true } as const;

test('every plot stays inside its frame', () => {
  for (const scene of allPlots(sampleQc().plots)) assertInside(scene);
});

test('coverage of any contigs stays inside its frame, with few enough bars', () => {
  const contig = fc.record({
    refName: fc.string({ minLength: 1, maxLength: 80 }),
    lengthBases: fc.integer({ min: 1, max: 3e9 }),
    meanDepth: fc.double({ min: 0, max: 1e6, ...numbers }),
  });
  fc.assert(
    fc.property(fc.array(contig, { minLength: 1, maxLength: 60 }), (coverageByContig) => {
      assert.ok(contigBars(coverageByContig).length <= 26);
      for (const scene of allPlots({ ...NO_PLOTS, coverageByContig })) assertInside(scene);
    }),
    { numRuns: 60 },
  );
});

test('of 3,000 contigs the longest have bars and the rest share one, nothing lost', () => {
  const contigs = Array.from({ length: 3_000 }, (_, index) => ({
    refName: `c${index}`,
    lengthBases: 1_000 + ((index * 7919) % 3_000),
    meanDepth: 20 + (index % 5),
  }));
  const bars = contigBars(contigs);
  assert.equal(bars.length, 26);
  assert.equal(
    bars.reduce((sum, bar) => sum + bar.contigs, 0),
    3_000,
  );
  assert.equal(bars.at(-1)?.name, '2,975 other');
});

test('a chromosome set keeps every bar of its own, in its order', () => {
  const names = contigBars(sampleContigs()).map((bar) => bar.name);
  assert.deepEqual(
    names,
    sampleContigs().map((contig) => contig.refName),
  );
  assert.ok(weightedDepth(sampleContigs()) > 30);
});

test('axis ticks are round, rising and within the axis', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-3, max: 1e9, ...numbers }), (value) => {
      const max = niceCeiling(value);
      assert.ok(max >= value * (1 - 1e-9));
      const found = ticks({ min: 0, max });
      assert.ok(found.length >= 2 && found.length <= 12, String(found));
      assert.ok((found.at(-1) ?? 0) <= max * (1 + 1e-9));
    }),
  );
});

test('a plot tells its message in words, for those who cannot see it', () => {
  for (const scene of allPlots(sampleQc().plots)) {
    assert.match(sceneToSvg(scene), /role="img" aria-label="[^"]{30,}"/);
    assert.match(scene.description, /\d/);
  }
});

const NO_PLOTS = {
  qualityByCycle: null,
  gcByCycle: null,
  coverageByContig: [],
  insertSize: null,
  breadth: null,
  tiTv: null,
  alleleBalance: null,
};

function assertInside(scene: Scene): void {
  for (const item of scene.items) {
    for (const [x, y] of cornersOf(item)) {
      const isInside = x >= -0.01 && x <= scene.width + 0.01 && y >= -0.01 && y <= scene.height;
      assert.ok(isInside, `${scene.title}: ${item.kind} at ${x}, ${y}`);
    }
  }
}

function cornersOf(item: Scene['items'][number]): readonly Point[] {
  switch (item.kind) {
    case 'line':
      return [item.from, item.to];
    case 'rect':
      assert.ok(item.size[0] >= 0 && item.size[1] >= 0);
      return [item.at, [item.at[0] + item.size[0], item.at[1] + item.size[1]]];
    case 'polyline':
    case 'polygon':
      return item.points;
    case 'text':
      return [item.at];
  }
}

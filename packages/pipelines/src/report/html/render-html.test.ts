import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_CONDITIONS_LETTERS } from '../limits.ts';
import { crowdedModel, HOSTILE, hostileModel, quietModel } from '../testing/other-models.ts';
import { sampleModel } from '../testing/sample-model.ts';
import { DARK, LIGHT } from '../tones.ts';
import { NOTHING_FOUND, RESEARCH_USE } from '../words.ts';
import { escapeHtml } from './escape.ts';
import { renderHtml } from './render-html.ts';

const MODELS = { sampleModel, quietModel, crowdedModel: () => crowdedModel(60), hostileModel };

for (const [name, make] of Object.entries(MODELS)) {
  test(`${name}: the page refers to nothing outside and runs nothing`, () => {
    const page = renderHtml(make());
    const tags = tagsOf(page);
    assert.ok(tags.length > 200);
    for (const tag of tags) {
      assert.doesNotMatch(tag, /^<(script|link|iframe|object|embed|base|form|img)\b/i);
      assert.doesNotMatch(tag.replace(/"[^"]*"/g, '""'), / on[a-z]+=/i);
      for (const [, value = ''] of tag.matchAll(/ (?:href|src|xlink:href)="([^"]*)"/g)) {
        assert.match(value, /^#/);
      }
    }
    for (const [, target = ''] of page.matchAll(/url\(([^)]*)\)/g)) {
      assert.match(target, /^data:font\/woff2;base64,/);
    }
    assert.match(page, /default-src 'none'/);
  });

  test(`${name}: elements are closed in the order in which they were opened`, () => {
    const open: string[] = [];
    for (const tag of tagsOf(renderHtml(make()))) {
      const element = /^<\/?([a-z0-9]+)/i.exec(tag)?.[1] ?? '';
      if (['meta', 'br', 'col'].includes(element) || tag.endsWith('/>')) continue;
      if (tag.startsWith('</')) assert.equal(open.pop(), element);
      else if (!tag.startsWith('<!')) open.push(element);
    }
    assert.deepEqual(open, []);
  });
}

test('hostile texts arrive as text', () => {
  const page = renderHtml(hostileModel());
  assert.ok(!page.includes('<script'));
  assert.ok(!page.includes('<img'));
  assert.ok(page.includes(escapeHtml(HOSTILE)));
  assert.ok(!page.includes('\u0000'));
});

test('the page can be read without seeing it', () => {
  const page = renderHtml(sampleModel());
  assert.match(page, /<html lang="en">/);
  assert.match(page, /<title>Germline variant report HX-2026-0142/);
  assert.equal(page.match(/<h1>/g)?.length, 1);
  assert.equal(page.match(/<table/g)?.length, page.match(/<caption>/g)?.length);
  assert.equal(page.match(/<th /g)?.length, page.match(/<th scope="col"/g)?.length);
  const pictures = page.match(/<svg [^>]*>/g) ?? [];
  assert.ok(pictures.length > 8);
  for (const picture of pictures) {
    assert.match(picture, /aria-hidden="true"|role="img" aria-label="[^"]+"/);
  }
});

test('identifiers are unique and every reference to one resolves', () => {
  const page = renderHtml(sampleModel());
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]);
  assert.equal(new Set(ids).size, ids.length);
  for (const [, id] of page.matchAll(/(?:aria-labelledby="|href="#)([^"]+)"/g)) {
    assert.ok(ids.includes(id), `no element ${id}`);
  }
});

test('the page says what the PDF says, and long alleles whole', () => {
  const page = renderHtml(sampleModel());
  for (const part of [RESEARCH_USE, 'BRCA1', 'c.5266dupC', 'HMR-3FA9-1C0B-2D4E']) {
    assert.ok(page.includes(part), part);
  }
  assert.ok(page.includes('ACGTTGCAAGGTCATTGACC'.repeat(16)));
  assert.ok(renderHtml(quietModel()).includes(NOTHING_FOUND));
});

test('the same model gives the same page', () => {
  assert.equal(renderHtml(sampleModel()), renderHtml(sampleModel()));
});

test('text has the contrast of WCAG AA on every ground that it is set on', () => {
  for (const tones of [LIGHT, DARK]) {
    for (const tone of ['ink', 'muted', 'accent', 'pass', 'warn', 'fail'] as const) {
      for (const ground of ['paper', 'panel'] as const) assertContrast(tones, tone, ground);
    }
    for (const tone of ['pass', 'warn', 'fail'] as const) {
      assertContrast(tones, tone, `${tone}Tint`);
    }
    assertContrast(tones, 'onBrand', 'brand');
    assertContrast(tones, 'onBrandMuted', 'brand');
    assertContrast(tones, 'ink', 'warnTint');
  }
});

function assertContrast(tones: typeof LIGHT, tone: keyof typeof LIGHT, on: keyof typeof LIGHT) {
  const [a, b] = [luminance(tones[tone]), luminance(tones[on])];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  assert.ok(ratio >= 4.5, `${tone} ${tones[tone]} on ${on} ${tones[on]}: ${ratio.toFixed(2)}`);
}

/** WCAG 2.2, relative luminance of `#rrggbb`. */
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** The tags of a page outside its style sheet. */
function tagsOf(page: string): readonly string[] {
  return page.replace(/<style>[\s\S]*?<\/style>/, '').match(/<[a-z/!][^>]*>/gi) ?? [];
}

test('a long list of conditions is cut as in the PDF, counted, and whole on demand', () => {
  const [finding] = crowdedModel(1).findings.groups.flatMap((group) => group.findings);
  const conditions = finding?.clinvar?.conditions ?? [];
  assert.equal(conditions.length, 60);
  const page = renderHtml(crowdedModel(1));
  const [, short = '', whole] =
    /<summary>(Syndromic condition[^<]*)<\/summary>([^<]*)<\/details>/.exec(page) ?? [];
  assert.equal(whole, conditions.join('; '));
  const shown = short.split('; ');
  assert.equal(shown.pop(), `and ${conditions.length - shown.length} more`);
  assert.deepEqual(shown, conditions.slice(0, shown.length));
  assert(shown.length > 0 && shown.join('; ').length <= MAX_CONDITIONS_LETTERS);
});

test('the summary never shows a depth that its verdict contradicts', () => {
  const { qc, ...model } = sampleModel();
  const metrics = qc.metrics.map((metric) =>
    metric.id === 'mean-depth' ? { ...metric, value: 29.96, verdict: 'warn' as const } : metric,
  );
  const coverageByContig = [{ refName: 'chr1', lengthBases: 1000, meanDepth: 29.96 }];
  const plots = { ...qc.plots, coverageByContig };
  const page = renderHtml({ ...model, qc: { ...qc, metrics, plots, meanDepth: 29.96 } });
  assert.match(page, /<dd>29\.96×<\/dd>/);
  assert.match(page, /all bases, 29\.96×/);
  assert.match(page, /class="strong">29\.96×/);
  assert.doesNotMatch(page, /30\.0×/);
});

test('the page says how much of the reference was covered, and what is not known of it not', () => {
  const { sample, ...model } = sampleModel();
  const panel = renderHtml({ ...model, sample: { ...sample, coveredFraction: 0.000_04 } });
  assert.match(panel, /Paired-end, 0\.004 % of the reference covered/);
  assert.match(panel, /Mean depth where covered/);
  const genome = renderHtml(sampleModel());
  assert.match(genome, /Paired-end, 99\.1 % of the reference covered/);
  assert.doesNotMatch(genome, /Mean depth where covered<\/dt>/);
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type ReportModel, reportId } from '../model.ts';
import { crowdedModel, hostileModel, quietModel } from '../testing/other-models.ts';
import { type PlacedWord, pageTexts, placedWords } from '../testing/pdf-tools.ts';
import { sampleModel } from '../testing/sample-model.ts';
import { NOTHING_FOUND, RESEARCH_USE } from '../words.ts';
import { renderPdf } from './render-pdf.ts';
import { MARGIN, PAGE_HEIGHT, PAGE_WIDTH } from './sheet.ts';

/** What a report must name to be read without the one who made it. */
const REQUIRED = [
  ...['Helixmesh', 'Germline variant report', 'HX-2026-0142', 'HMR-3FA9-1C0B-2D4E'],
  ...['14 March 2026', 'GRCh38 no-alt analysis set', 'Paired-end, 99.1 % of the', 'XX (inferred)'],
  ...['1 pathogenic variant reported by ClinVar', 'Mean depth', '35.2×', 'freebayes'],
  ...['BRCA1', 'c.5266dupC', 'p.Gln1756fs', 'NM_007294.3', 'chr17:43,057,062', 'T > TG'],
  ...['Heterozygous', 'depth 41, 49 % ALT', 'FILTER PASS', 'rs80357906', '0.00011'],
  ...['reviewed by expert panel', 'Breast-ovarian cancer, familial', 'Variation 17677'],
  ...['Conflicting classifications', 'Uncertain significance', 'Not in ClinVar'],
  ...['c.8217_8218insACGTTGCA…(320 bp)', 'AACGTTGC…(321 bp)', 'FILTER LowConf'],
  ...['Mitochondrial variants', 'Allele fraction 18.2 %', '(NUMTs)'],
  ...['Quality control', 'Warning', 'at least 30×', 'FastQC', 'Coverage by contig'],
  ...['Quality by cycle', 'Insert size', 'Ti/Tv', 'genome 2.0–2.1', 'exome 3.0–3.3'],
  ...['Allele balance', 'Regions of low coverage', 'chr7:74,775,001–74,775,412'],
  ...[
    'Methods',
    'bwa 0.7.17-r1188',
    'bwa mem -K 100000000 -Y',
    '2026-03-02',
    `sha256:${'d'.repeat(64)}`,
  ],
  ...['Limitations', 'Copy number', 'Phase is unknown', 'quoted from', 'Glossary', 'Provenance'],
  'sha256:3fa91c0b2d4e77a8c5d0916be2f83a4417c9de5b60a2f1389d4c7be0f6125a93',
];

test('the same model gives the same bytes, in this process and in another', async () => {
  const here = sha256(await renderPdf(sampleModel()));
  assert.equal(sha256(await renderPdf(sampleModel())), here);
  const script =
    `import { createHash } from 'node:crypto';` +
    `import { renderPdf } from '${new URL('./render-pdf.ts', import.meta.url)}';` +
    `import { sampleModel } from '${new URL('../testing/sample-model.ts', import.meta.url)}';` +
    `const pdf = await renderPdf(sampleModel());` +
    `process.stdout.write(createHash('sha256').update(pdf).digest('hex'));`;
  const there = execFileSync(
    process.execPath,
    ['--conditions=development', '--input-type=module', '-e', script],
    {
      encoding: 'utf8',
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      env: { ...process.env, TZ: 'Pacific/Auckland', LANG: 'de_DE.UTF-8' },
    },
  );
  assert.equal(there, here);
});

test('another date gives other bytes', async () => {
  const later = { ...sampleModel(), reportedAt: '2026-03-15T09:26:53Z' };
  assert.notEqual(sha256(await renderPdf(later)), sha256(await renderPdf(sampleModel())));
});

test('the text holds every required field', async () => {
  const text = squeezed(pageTexts(await renderPdf(sampleModel())).join('\n'));
  for (const field of REQUIRED) assert.ok(text.includes(squeezed(field)), `missing: ${field}`);
});

const MODELS: readonly (readonly [string, () => ReportModel])[] = [
  ['the sample', sampleModel],
  ['a quiet report', quietModel],
  ['a crowded report', crowdedModel],
  ['a hostile report', hostileModel],
];

for (const [name, make] of MODELS) {
  test(`${name}: pages are marked, and words neither leave the page nor overlap`, async () => {
    const model = make();
    const pdf = await renderPdf(model);
    const pages = pageTexts(pdf);
    pages.forEach((text, index) => {
      const page = squeezed(text);
      for (const part of [
        RESEARCH_USE,
        model.provenanceDigest.slice(0, 19),
        reportId(model),
        `Page ${index + 1} of ${pages.length}`,
      ]) {
        assert.ok(page.includes(squeezed(part)), `page ${index + 1} lacks ${part}`);
      }
    });
    const words = placedWords(pdf);
    assert.ok(words.length > 500, `only ${words.length} words`);
    for (const word of words) assertOnPage(word);
    assertApart(words);
  });
}

test('nothing found reads as a sentence, and single reads show no insert size', async () => {
  const text = pageTexts(await renderPdf(quietModel())).join('\n');
  assert.ok(squeezed(text).includes(squeezed(NOTHING_FOUND)));
  assert.match(text, /Single-end/);
  assert.match(text, /not applicable/);
  assert.doesNotMatch(text, /Insert size \(bp\)/);
  assert.match(text, /No mitochondrial variant was called/);
});

test('a figure is not broken between its thousands, nor a list of conditions left open', async () => {
  const text = pageTexts(await renderPdf(crowdedModel(3))).join('\n');
  assert.match(text, /\b4,812,377 variants/);
  assert.match(text, /and 5\d more/);
});

test('without ClinVar the report does not claim that nothing was found', async () => {
  const model = quietModel();
  const sources = { ...model.findings.sources, clinvar: false };
  const pdf = await renderPdf({ ...model, findings: { ...model.findings, sources } });
  const text = squeezed(pageTexts(pdf).join('\n'));
  assert.ok(!text.includes(squeezed('was found in the regions covered')));
  assert.ok(text.includes(squeezed('ClinVar was not given')));
});

test('a table of hundreds of variants repeats its head and tells what is not listed', async () => {
  const pages = pageTexts(await renderPdf(crowdedModel(300)));
  const withVariants = pages.filter((page) => /GENE\d+/.test(page));
  assert.ok(withVariants.length > 15);
  for (const page of withVariants) assert.match(page, /Gene and HGVS +Location/);
  const text = squeezed(pages.join('\n'));
  for (let index = 0; index < 300; index += 1) assert.ok(text.includes(`GENE${index}`));
  assert.ok(text.includes(squeezed('1,234 more are in the VCF')));
});

test('letters outside the Latin alphabet are set, not dropped', async () => {
  const text = pageTexts(await renderPdf(crowdedModel(3))).join('\n');
  assert.match(text, /Condition β of Ångström–Müller/);
});

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Wrapping and columns must not matter. */
function squeezed(text: string): string {
  return text.replace(/\s+/g, '');
}

function assertOnPage(word: PlacedWord): void {
  const isInside =
    word.left >= MARGIN - 6 &&
    word.right <= PAGE_WIDTH - MARGIN + 1 &&
    word.top >= 0 &&
    word.bottom <= PAGE_HEIGHT;
  assert.ok(isInside, `page ${word.page}: ${word.text} at ${word.left}–${word.right}`);
}

/** Words on one line may touch but not cover each other; lines must not run into each other. */
function assertApart(words: readonly PlacedWord[]): void {
  const pages = Map.groupBy(words, (word) => word.page);
  for (const onPage of pages.values()) {
    const sorted = onPage.toSorted((a, b) => a.top - b.top);
    sorted.forEach((word, index) => {
      for (let next = index + 1; next < sorted.length; next += 1) {
        const other = sorted[next];
        if (other === undefined || other.top >= word.bottom) break;
        const across = Math.min(word.right, other.right) - Math.max(word.left, other.left);
        const down = Math.min(word.bottom, other.bottom) - other.top;
        // A line's box is taller than its letters, so neighbours share a fifth of it.
        const isOver = across > 0.5 && down > 0.35 * (word.bottom - word.top);
        assert.ok(!isOver, `page ${word.page}: ${word.text} over ${other.text}`);
      }
    });
  }
}

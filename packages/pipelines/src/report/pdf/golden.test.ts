/**
 * Golden pages: what the report looks like. Change them with UPDATE_GOLDEN=1 after looking at the
 * new pages. The tolerance covers the antialiasing of another version of poppler.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import pixelmatch from 'pixelmatch';
import { PNG } from 'pngjs';
import { quietModel } from '../testing/other-models.ts';
import { pageImages } from '../testing/pdf-tools.ts';
import { sampleModel } from '../testing/sample-model.ts';
import { renderPdf } from './render-pdf.ts';

const GOLDEN = fileURLToPath(new URL('../testing/golden', import.meta.url));
const DOTS_PER_INCH = 60;
/** Share of the pixels of a page that may differ. */
const TOLERANCE = 0.002;
const PICTURED = [
  { name: 'sample', make: sampleModel, pages: 100 },
  { name: 'quiet', make: quietModel, pages: 1 },
];
const isUpdate = process.env['UPDATE_GOLDEN'] === '1';

for (const { name, make, pages: shown } of PICTURED) {
  test(`the pages of the ${name} report look like their golden pictures`, async () => {
    const pages = pageImages(await renderPdf(make()), DOTS_PER_INCH).slice(0, shown);
    if (isUpdate) return replaceGolden(name, pages);
    const golden = readdirSync(GOLDEN).filter((file) => file.startsWith(`${name}-`));
    assert.equal(pages.length, golden.length, 'number of pages');
    pages.forEach((page, index) => {
      comparePage(`${name}-${index + 1}.png`, page);
    });
  });
}

function comparePage(file: string, page: Buffer): void {
  const actual = PNG.sync.read(page);
  const golden = PNG.sync.read(readFileSync(join(GOLDEN, file)));
  const { width, height } = golden;
  assert.deepEqual([actual.width, actual.height], [width, height], `size of ${file}`);
  const diff = new PNG({ width, height });
  const options = { threshold: 0.15 };
  const count = pixelmatch(actual.data, golden.data, diff.data, width, height, options);
  if (count <= width * height * TOLERANCE) return;
  const folder = join(tmpdir(), 'helixmesh-golden');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, file), page);
  writeFileSync(join(folder, `diff-${file}`), PNG.sync.write(diff));
  assert.fail(
    `${count} pixels of ${file} differ; look at ${join(folder, `diff-${file}`)}. ` +
      'If the new page is right, run the test with UPDATE_GOLDEN=1.',
  );
}

function replaceGolden(name: string, pages: readonly Buffer[]): void {
  mkdirSync(GOLDEN, { recursive: true });
  for (const file of readdirSync(GOLDEN)) {
    if (file.startsWith(`${name}-`)) rmSync(join(GOLDEN, file));
  }
  pages.forEach((page, index) => {
    writeFileSync(join(GOLDEN, `${name}-${index + 1}.png`), page);
  });
}

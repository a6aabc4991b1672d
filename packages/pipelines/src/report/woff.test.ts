import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import PDFDocument from 'pdfkit';
import { ALPHABETS, type Face, fontFile } from './fonts.ts';
import { sfntOf } from './woff.ts';

const FACES: readonly Face[] = ['regular', 'semibold', 'bold', 'italic', 'semibold-italic'];

/** OpenType, "Calculating Checksums": the sum of the table's words, modulo 2³². */
function checksum(tag: string, table: Buffer): number {
  const words = Buffer.concat([table, Buffer.alloc(-table.length & 3)]);
  // `head` is summed with its field checksumAdjustment as zero.
  if (tag === 'head') words.writeUInt32BE(0, 8);
  let sum = 0;
  for (let at = 0; at < words.length; at += 4) sum = (sum + words.readUInt32BE(at)) >>> 0;
  return sum;
}

test('every table of every font has the checksum that the font states', () => {
  let checked = 0;
  for (const face of FACES) {
    for (const alphabet of ALPHABETS) {
      const sfnt = sfntOf(fontFile(face, alphabet, 'woff'));
      const tags: string[] = [];
      for (let index = 0; index < sfnt.readUInt16BE(4); index += 1) {
        const entry = 12 + index * 16;
        const tag = sfnt.toString('latin1', entry, entry + 4);
        const [stated, offset, length] = [4, 8, 12].map((at) => sfnt.readUInt32BE(entry + at));
        assert(stated !== undefined && offset !== undefined && length !== undefined);
        assert.equal(offset % 4, 0);
        const table = sfnt.subarray(offset, offset + length);
        assert.equal(checksum(tag, table), stated, `${face} ${alphabet} ${tag}`);
        tags.push(tag);
        checked += 1;
      }
      assert.deepEqual(tags, tags.toSorted());
      assert(['cmap', 'glyf', 'head', 'hmtx', 'loca'].every((tag) => tags.includes(tag)));
    }
  }
  assert(checked > 200, `only ${checked} tables`);
});

test('a PDF has the same bytes whether its fonts came as WOFF or unpacked', async () => {
  for (const face of FACES) {
    const woff = fontFile(face, 'latin', 'woff');
    assert.equal(await digestOfPage(sfntOf(woff)), await digestOfPage(woff));
  }
});

test('what is no WOFF font is not taken for one', () => {
  assert.throws(() => sfntOf(fontFile('regular', 'latin', 'woff2')), /not a WOFF font/);
  const cut = fontFile('regular', 'latin', 'woff').subarray(0, 5000);
  assert.throws(() => sfntOf(cut));
});

async function digestOfPage(font: Buffer): Promise<string> {
  const doc = new PDFDocument({ info: { CreationDate: new Date(0) } });
  const hash = createHash('sha256');
  const { promise, resolve } = Promise.withResolvers<void>();
  doc.on('data', (chunk: Uint8Array) => hash.update(chunk));
  doc.on('end', resolve);
  doc.registerFont('tested', font);
  doc.font('tested').text('Ångström 1,234.5 × – “AVATAR” fi ffl');
  doc.end();
  await promise;
  return hash.digest('hex');
}

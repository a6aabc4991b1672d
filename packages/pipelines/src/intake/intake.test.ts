import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { gunzipSync, gzipSync } from 'node:zlib';
import { AppError, type ErrorRecord } from '@helixmesh/protocol';
import fc from 'fast-check';
import { bgzip } from '../formats/gzip/bgzf-writer.ts';
import { testBam } from '../testing/bam.ts';
import { realData, skipReason } from '../testing/real-data.ts';
import { type IntakeSummary, intake } from './intake.ts';

const folder = mkdtempSync(join(tmpdir(), 'intake-'));
after(() => rmSync(folder, { recursive: true }));

type Content = string | Uint8Array;

async function run(
  r1: Content,
  r2: Content | null = null,
  threads: 1 | 2 = 1,
): Promise<IntakeSummary> {
  writeFileSync(join(folder, 'r1'), r1);
  if (r2 !== null) writeFileSync(join(folder, 'r2'), r2);
  const args = { r1: 'r1', r2: r2 === null ? null : 'r2' };
  await intake({ folder, args, threads, progress: () => {} }, 0);
  return JSON.parse(readFileSync(join(folder, 'intake.json'), 'utf8'));
}

async function refused(expected: object, r1: Content, r2: Content | null = null): Promise<void> {
  await assert.rejects(run(r1, r2), (error: unknown) => {
    assert(error instanceof AppError);
    assert(error.hint !== undefined && error.hint.length > 10);
    assert.match(error.message, /\bR[12]\b/, 'says which mate');
    assert.doesNotMatch(error.message, /\br[12]\b/, 'names a file of the task, not of the user');
    const { code, details } = error;
    assert.deepEqual({ code, ...details }, expected, error.message);
    return true;
  });
}

async function fault(r1: Content, r2: Content, threads: 1 | 2): Promise<ErrorRecord> {
  const error = await run(r1, r2, threads).then(() => null, AppError.from);
  assert(error !== null, 'refused');
  return error.toRecord();
}

function reads(count: number, suffix = ''): string {
  const record = (i: number) => `@run:1:${i}${suffix}\nACGTN${'A'.repeat(i % 9)}\n+\n`;
  return Array.from({ length: count }, (_, i) => `${record(i)}#5:FI${'F'.repeat(i % 9)}\n`).join(
    '',
  );
}

describe('intake', () => {
  it('says the same of plain, gzip and BGZF files', async () => {
    const text = reads(30_000);
    const plain = await run(text);
    const { digest, rawSha256, compression, ...totals } = plain.r1;
    assert.equal(compression, 'none');
    const sha256 = createHash('sha256').update(text).digest('hex');
    assert.equal(digest, `sha256:${sha256}`);
    assert.equal(rawSha256, sha256);
    assert.deepEqual(totals, { reads: 30_000, bases: 269_991, minLength: 5, maxLength: 13 });
    const forms = [
      ['gzip', gzipSync(text)],
      ['bgzf', bgzip(Buffer.from(text))],
    ] as const;
    for (const [form, packed] of forms) {
      const summary = await run(packed);
      const raw = createHash('sha256').update(packed).digest('hex');
      assert.deepEqual(summary, {
        r1: { ...plain.r1, rawSha256: raw, compression: form },
        r2: null,
      });
    }
  });

  it('accepts mates named with /1 and /2, with comments and without a last line end', async () => {
    const summary = await run(reads(9000, '/1').trimEnd(), reads(9000, ' 2:N:0:ACGT'));
    assert.equal(summary.r1.reads, 9000);
    assert.equal(summary.r2?.reads, 9000);
  });

  it('refuses files that hold nothing', async () => {
    await refused({ code: 'INPUT_EMPTY' }, '');
    await refused({ code: 'INPUT_EMPTY' }, gzipSync(''));
    await refused({ code: 'INPUT_EMPTY' }, reads(5), gzipSync(''));
    await refused({ code: 'INPUT_EMPTY' }, '@a\n\n+\n\n');
  });

  it('refuses files cut in compressed data or inside of a record', async () => {
    const packed = gzipSync(reads(40_000));
    await refused({ code: 'INPUT_TRUNCATED' }, packed.subarray(0, -10));
    await refused({ code: 'INPUT_TRUNCATED' }, packed.subarray(0, packed.length >> 1));
    await refused({ code: 'INPUT_TRUNCATED' }, reads(9), packed.subarray(0, packed.length >> 1));
    await refused({ code: 'INPUT_TRUNCATED', record: 9 }, reads(9).slice(0, -5));
    const text = reads(9);
    const inName = text.lastIndexOf('@') + 3;
    await refused({ code: 'INPUT_TRUNCATED', record: 9 }, text.slice(0, inName));
  });

  it('refuses damaged compressed data', async () => {
    const packed = gzipSync(reads(4000));
    packed[packed.length - 7] = (packed[packed.length - 7] ?? 0) ^ 1;
    await refused({ code: 'INPUT_MALFORMED' }, packed);
  });

  it('refuses malformed records and says which', async () => {
    const good = reads(2);
    const malformed = { code: 'INPUT_MALFORMED', record: 3 };
    await refused(malformed, `${good}x\nAC\n+\nII\n`);
    await refused(malformed, `${good}@x\nAC\nII\n@y\nAC\n+\nII\n`);
    await refused(malformed, `${good}@x\nACG\n+\nII\n@y\nAC\n+\nII\n`);
    await refused(malformed, `${good}@x\nAC\n+\nIII\n`);
    await refused(malformed, `${good}@x\nA*\n+\nII\n`);
    await refused(malformed, `${good}@x\nAC\n+\nI I\n`);
    await refused(malformed, `${good}@x\nAC\n+\nI\x7f\n`);
    await refused({ code: 'INPUT_MALFORMED', record: 1 }, good.replaceAll('\n', '\r\n'));
  });

  it('refuses mates that differ in number or name', async () => {
    const counts = { code: 'MATES_UNEQUAL', r1: 30_000, r2: 29_999 };
    await refused(counts, reads(30_000), reads(29_999, ' x'));
    await refused({ ...counts, r1: 29_999, r2: 30_000 }, reads(29_999), reads(30_000, ' x'));
    const swapped = reads(20_000).replace('run:1:17777\n', 'run:1:17778\n');
    await refused({ code: 'MATES_UNEQUAL', record: 17_778 }, reads(20_000), swapped);
    await refused({ code: 'MATES_UNEQUAL' }, reads(50), gzipSync(reads(50)));
  });

  it('says the same of pairs in one thread and in two', async () => {
    const left = reads(40_000, '/1');
    const right = reads(40_000, '/2 of a pair');
    const pairs: (readonly [Content, Content])[] = [
      [left, right],
      [gzipSync(left), right.trimEnd()],
      [left, bgzip(Buffer.from(right))],
    ];
    for (const [r1, r2] of pairs) assert.deepEqual(await run(r1, r2, 2), await run(r1, r2, 1));
  });

  it('refuses bad pairs alike in one thread and in two', async () => {
    const good = reads(40_000);
    const mates = reads(40_000, ' x');
    const half = gzipSync(good).subarray(0, 99_999);
    const bad = (record: number) =>
      good.replace(`run:1:${record - 1}\nA`, `run:1:${record - 1}\n*`);
    const other = (record: number) => mates.replace(`run:1:${record - 1} `, 'other ');
    const malformed = (record: number) => ({ code: 'INPUT_MALFORMED', record });
    const differ = (record: number) => ({ code: 'MATES_UNEQUAL', record });
    const cases: (readonly [object, Content, Content])[] = [
      [{ code: 'MATES_UNEQUAL' }, good, good],
      [{ code: 'MATES_UNEQUAL', r1: 40_000, r2: 30_500 }, good, reads(30_500, ' x')],
      [{ code: 'MATES_UNEQUAL', r1: 30_500, r2: 40_000 }, reads(30_500, ' x'), good],
      [{ code: 'INPUT_EMPTY' }, good, gzipSync('')],
      [{ code: 'INPUT_TRUNCATED' }, good, half],
      [differ(39_999), good, other(39_999)],
      [differ(1), bad(39_999), other(1)],
      [malformed(39_999), good, bad(39_999)],
      // In one piece a fault of the file is found before names are compared, and R1's is told.
      [malformed(5), bad(5), other(1)],
      [malformed(9), bad(9), bad(3)],
    ];
    for (const [expected, r1, r2] of cases) {
      const [one, two] = [await fault(r1, r2, 1), await fault(r1, r2, 2)];
      assert.deepEqual(one, two);
      const { code, details } = one;
      assert.deepEqual({ code, ...details }, expected, one.message);
    }
  });

  it('ends the thread of R2 with the thread that started it', async () => {
    for (const mate of ['r1', 'r2']) {
      writeFileSync(join(folder, mate), reads(300_000, mate === 'r1' ? ' 1' : ' 2'));
    }
    const workerData = { folder, module: new URL('./intake.ts', import.meta.url).href };
    const code = `const { parentPort, workerData } = require('node:worker_threads');
      const { folder, module } = workerData;
      const args = { r1: 'r1', r2: 'r2' };
      const progress = (fraction) => parentPort.postMessage(fraction);
      import(module).then(({ intake }) => intake({ folder, args, threads: 2, progress }, 0));`;
    const threads = () => readdirSync('/proc/self/task').length;
    const before = threads();
    const worker = new Worker(code, { eval: true, workerData });
    await once(worker, 'message');
    while (threads() < before + 2) await setImmediate();
    await worker.terminate();
    // The kernel forgets a thread a moment after Node has seen it end.
    while (threads() > before) await setImmediate();
  });

  it('refuses other formats and tells how to convert them', async () => {
    const wrong = { code: 'INPUT_WRONG_FORMAT' };
    await refused(wrong, testBam('@HD\tVN:1.6\n', 1, []));
    await refused(wrong, '>chr1\nACGT\n');
    await refused(wrong, '@HD\tVN:1.6\n@SQ\tSN:chr1\tLN:5\n');
    await refused(wrong, Buffer.from([0x50, 0x4b, 3, 4, 1, 1]));
    await refused(wrong, 'sample,file\n');
    await refused(wrong, '@a\nACGT\n+\nhh^@\n');
  });

  it('counts what it was given, however records fall on pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.stringMatching(/^[ACGTN]{0,40}$/), { minLength: 1, maxLength: 20 }),
        async (sequences) => {
          const all = ['A', ...sequences];
          const text = all.map((s, i) => `@r${i}\n${s}\n+\n${'I'.repeat(s.length)}\n`).join('');
          const { r1 } = await run(text);
          const lengths = all.map((s) => s.length);
          assert.equal(r1.reads, all.length);
          assert.equal(r1.bases, all.join('').length);
          assert.equal(r1.minLength, Math.min(...lengths));
          assert.equal(r1.maxLength, Math.max(...lengths));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('accepts real reads and counts them as zcat and wc do', async (t) => {
    const data = realData('na12878_chr22_tiny');
    if (data === null) return t.skip(skipReason('na12878_chr22_tiny'));
    const [r1, r2] = [1, 2].map((mate) => readFileSync(join(data, `NA12878_R${mate}.fastq.gz`)));
    assert(r1 !== undefined && r2 !== undefined);
    const summary = await run(r1, r2);
    const lines = gunzipSync(r1).toString().trimEnd().split('\n');
    assert(lines.length > 1000);
    assert.equal(summary.r1.reads, lines.length / 4);
    assert.equal(summary.r2?.reads, summary.r1.reads);
  });
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { testBam } from '../testing/bam.ts';
import { checkReadConservation } from './check-reads.ts';
import { KeyedMultiset, type MultisetKey, newMultisetKey } from './keyed-multiset.ts';
import { bamElements, fastqElements } from './read-streams.ts';

const root = mkdtempSync(join(tmpdir(), 'conservation-'));
after(() => rmSync(root, { recursive: true }));
const COUNT = 400;

/** A generator of numbers below `n`, the same at each run. */
function chance(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

const next = chance(7);
const bases = (count: number) => Array.from({ length: count }, () => 'ACGT'[next(4)]).join('');
const reversed = (text: string) =>
  [...text]
    .reverse()
    .join('')
    .replace(/[ACGT]/g, (b) => 'TGCA'['ACGT'.indexOf(b)] as string);

/** Pairs of a random genome, some of them of no genome, with adapters where they overlap. */
function makeSample(): void {
  const genome = bases(20_000);
  writeFileSync(join(root, 'ref.fa'), `>c\n${genome.match(/.{1,60}/g)?.join('\n')}\n`);
  const fastq: [string[], string[]] = [[], []];
  for (let i = 0; i < COUNT; i++) {
    const length = 80 + next(200);
    const start = next(genome.length - length);
    const fragment = i % 20 === 0 ? bases(length) : genome.slice(start, start + length);
    const adapter = 'AGATCGGAAGAGCACACGTCTGAACTCCAGTCA';
    const ends = [fragment, reversed(fragment)].map((s) =>
      `${s}${adapter}${bases(60)}`.slice(0, 100),
    );
    for (const mate of [0, 1] as const) {
      // Some of so bad a quality that they are dropped.
      const quality = (i % 37 === 0 ? '#' : 'I').repeat(100);
      fastq[mate].push(`@pair${i}/${mate + 1} more\n${ends[mate]}\n+\n${quality}\n`);
    }
  }
  for (const mate of [0, 1] as const) {
    writeFileSync(join(root, `r${mate + 1}.fq`), fastq[mate].join(''));
  }
  bash(`bwa index ref.fa && fastp -i r1.fq -I r2.fq --stdout -w 1 -j f.json -h f.html \
    | bwa mem -K 100000000 -p -Y ref.fa - | samtools fixmate -u -m - - | samtools sort -u - \
    | samtools markdup - honest.bam`);
}

function bash(script: string): void {
  execFileSync('bash', ['-c', `set -euo pipefail; ${script}`], { cwd: root, stdio: 'pipe' });
}

/** The honest file with its SAM text changed by an awk program. */
function lying(name: string, awk: string): string {
  bash(
    `samtools view -h honest.bam | awk -F'\\t' -v OFS='\\t' '${awk}' | samtools view -b -o ${name} -`,
  );
  return join(root, name);
}

const reads = [join(root, 'r1.fq'), join(root, 'r2.fq')] as const;

test('an alignment has the reads that it was made of, and one that drops, changes, doubles or makes up some is told', async () => {
  makeSample();
  const honest = await checkReadConservation({ reads, bam: join(root, 'honest.bam') });
  assert.equal(honest.isConserved, true, JSON.stringify(honest));
  assert.equal(honest.found, honest.expected);
  // Some were dropped, most were not.
  assert.ok(honest.found > COUNT && honest.found < 2 * COUNT);
  const at = '!/^@/ && n++ == 50';
  const lies: Readonly<Record<string, string>> = {
    dropped: `${at} { next } 1`,
    'dropped and another doubled': `${at} { print last; next } { last = $0 } 1`,
    doubled: `${at} { print } 1`,
    'with another base': `${at} { $10 = (substr($10, 1, 1) == "A" ? "C" : "A") substr($10, 2) } 1`,
    'cut short': `${at} { $6 = "*"; $10 = substr($10, 2); $11 = substr($11, 2) } 1`,
    'turned around': `${at} { $2 = $2 + ($2 % 32 >= 16 ? -16 : 16) } 1`,
    renamed: `${at} { $1 = "pair999" } 1`,
    'of the other mate': `${at} { $2 = $2 + ($2 % 128 >= 64 ? 64 : -64) } 1`,
    'said to be secondary': `${at} { $2 += 256 } 1`,
  };
  const key = newMultisetKey();
  const genuine = await sumOf(join(root, 'honest.bam'), key);
  const files = Object.entries(lies).map(
    ([what, awk], i) => [what, lying(`${i}.bam`, awk)] as const,
  );
  for (const [what, bam] of files) {
    assert.equal(genuine.equals(await sumOf(bam, key)), false, what);
  }
  const [, [, swapped] = assert.fail()] = files;
  const told = await checkReadConservation({ reads, bam: swapped });
  assert.deepEqual(told, { ...honest, isConserved: false });
  // Where they are placed, and whether they are duplicates, does not count.
  const moved = lying('moved.bam', '!/^@/ { $2 = $2 % 1024; $4 = 1; $5 = 7 } 1');
  assert.ok(genuine.equals(await sumOf(moved, key)));
});

async function sumOf(bam: string, key: MultisetKey): Promise<KeyedMultiset> {
  const sum = new KeyedMultiset(key);
  for await (const element of bamElements(bam)) sum.add(element);
  return sum;
}

async function all(elements: AsyncIterable<Buffer>): Promise<string[]> {
  const found: string[] = [];
  for await (const element of elements) found.push(element.toString('latin1'));
  return found;
}

async function* inPieces(text: string, size: number) {
  for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size));
}

test('a read is the same from FASTQ and from BAM, on either strand and in pieces of any size', async () => {
  const fastq = '@a/1 x\nACGTN\n+\nIIIII\n@a/2\nacgr\n+\nIIII\n';
  const expected = await all(fastqElements(inPieces(fastq, 1_000), true));
  for (const size of [1, 7, 20]) {
    assert.deepEqual(await all(fastqElements(inPieces(fastq, size), true)), expected);
  }
  const common = { name: 'a', refId: 0, pos: 5, mapq: 60, tags: [] };
  const path = join(root, 'strands.bam');
  const forward = { ...common, flag: 0x41, sequence: 'ACGTN', qualities: [1, 1, 1, 1, 1] };
  const backward = { ...common, flag: 0x91, sequence: 'NCGT', qualities: [1, 1, 1, 1] };
  const extra = { ...forward, flag: 0x841 };
  writeFileSync(path, testBam('@HD\tVN:1.6\n', 1, [forward, extra, backward]));
  assert.deepEqual(await all(bamElements(path)), expected);
});

test('reads that end in the middle, or are none, are refused', async () => {
  const read = (text: string, isPaired = false) =>
    all(fastqElements(inPieces(text, 100), isPaired));
  await assert.rejects(read('@a\nAC\n+\n'), { code: 'INPUT_TRUNCATED' });
  await assert.rejects(read('@a\nAC\n+\nII\n', true), { code: 'INPUT_TRUNCATED' });
  await assert.rejects(read('>a\nAC\n+\nII\n'), { code: 'INPUT_MALFORMED' });
  const path = join(root, 'none.bam');
  writeFileSync(path, '@a\nAC\n+\nII\n');
  await assert.rejects(all(bamElements(path)), { code: 'INPUT_WRONG_FORMAT' });
});

test('sums are equal for equal elements in any order, and for nothing else', () => {
  const key = newMultisetKey();
  const of = (elements: readonly string[], by = key) => {
    const sum = new KeyedMultiset(by);
    for (const element of elements) sum.add(Buffer.from(element));
    return sum;
  };
  assert.ok(of(['a', 'b', 'a']).equals(of(['a', 'a', 'b'])));
  assert.ok(!of(['a', 'b', 'a']).equals(of(['a', 'b', 'b'])));
  assert.ok(!of(['a']).equals(of(['a', 'a'])));
  assert.ok(!of(['a']).equals(of(['a'], newMultisetKey())));
});

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { AppError, type ErrorCode } from '@helixmesh/protocol';
import { type AddReferenceOptions, addReference } from './add.ts';
import { listReferences, openReference, readManifest } from './store.ts';

const root = mkdtempSync(join(tmpdir(), 'reference-'));
after(() => rmSync(root, { recursive: true, force: true }));

let files = 0;
function file(content: string | Buffer, name = 'input'): string {
  const path = join(root, `${name}-${files++}`);
  writeFileSync(path, content);
  return path;
}

/** Reproducible bases without a pattern that repeats. */
function bases(length: number, seed: number): string {
  let state = seed;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return 'ACGT'[(state >> 16) & 3];
  }).join('');
}

const CHR1 = bases(3000, 7);
const CHRM = bases(600, 9);
const FASTA = `>chr1 the first\n${CHR1}\n>chrM\n${CHRM.toLowerCase()}\n`;
const fasta = file(FASTA, 'ref.fa');
const store = join(root, 'store');

async function add(options: Partial<AddReferenceOptions>, storeDir = store) {
  const notes: string[] = [];
  const bundle = await addReference(
    { name: 'tiny', fasta, ...options },
    { storeDir, onProgress: (event) => event.kind === 'note' && notes.push(event.message) },
  );
  return { bundle, notes, storeDir };
}

async function rejects(options: Partial<AddReferenceOptions>, code: ErrorCode, words: RegExp) {
  const storeDir = join(root, `rejects-${files++}`);
  await assert.rejects(add(options, storeDir), (error) => {
    assert.ok(error instanceof AppError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, words);
    assert.ok((error.hint ?? '').length > 10, 'has a hint');
    return true;
  });
  const left = existsSync(storeDir)
    ? readdirSync(storeDir).flatMap((name) => readdirSync(join(storeDir, name)))
    : [];
  assert.deepEqual(left, [], 'nothing is left in the store');
}

interface VcfOptions {
  readonly contigLines?: readonly string[];
  readonly header?: readonly string[];
}

function vcf(records: readonly string[], options: VcfOptions = {}): string {
  return [
    '##fileformat=VCFv4.1',
    '##fileDate=2026-02-26',
    '##ID=<Description="ClinVar Variation ID">',
    '##INFO=<ID=CLNSIG,Number=.,Type=String,Description="x">',
    ...(options.header ?? []),
    ...(options.contigLines ?? []),
    '#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO',
    ...records.map((record) => record.replaceAll(' ', '\t')),
    '',
  ].join('\n');
}

function at(pos1: number, sequence = CHR1): string {
  return sequence[pos1 - 1] as string;
}

const other = (base: string) => (base === 'A' ? 'C' : 'A');
const snv = (contig: string, pos1: number, info = '.', sequence = CHR1) =>
  `${contig} ${pos1} ${pos1} ${at(pos1, sequence)} ${other(at(pos1, sequence))} . . ${info}`;

function records(path: string): string[] {
  const shown = spawnSync('bcftools', ['view', '-H', path], { encoding: 'utf8' });
  return shown.stdout
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '');
}

test('prepares a FASTA with indexes and digests that samtools agrees with', async () => {
  const { bundle, notes } = await add({ fasta: file(gzipSync(FASTA)) });
  assert.deepEqual(bundle.contigs, [
    { name: 'chr1', lengthBases: 3000 },
    { name: 'chrM', lengthBases: 600 },
  ]);
  const text = readFileSync(bundle.files['ref.fa']?.location ?? '', 'utf8');
  assert.ok(text.includes(CHRM.toLowerCase().slice(0, 60)), 'lower case is kept');
  assert.ok(!text.includes('the first'));
  const dict = readFileSync(bundle.files['ref.dict']?.location ?? '', 'utf8');
  assert.ok(!dict.includes('UR:'));
  const manifest = await readManifest(store, 'tiny');
  for (const contig of manifest.contigs) assert.ok(dict.includes(`M5:${contig.md5}`), contig.name);
  assert.ok(bundle.files['ref.fa.bwt']);
  assert.match(notes.join(), /without consequences and HGVS/);
  assert.deepEqual(bundle.par, []);
});

test('takes the refget digest of the specification', async () => {
  // GA4GH refget 2.0: the sequence ACGT.
  await add({ name: 'acgt', fasta: file('>x\nac\nGT\n') });
  const manifest = await readManifest(store, 'acgt');
  assert.equal(manifest.contigs[0]?.refget, 'SQ.aKF498dAxcJAqme6QYQ7EZ07-fiw8Kw2');
  assert.equal(manifest.contigs[0]?.md5, 'f1f8f4bf413b16ad135722aa4591043e');
});

test('adding the same again builds nothing and says so; other line lengths are the same', async () => {
  const storeDir = join(root, 'same');
  const first = await add({}, storeDir);
  const again = await add({}, storeDir);
  assert.match(again.notes.join(), /nothing was built/);
  assert.equal(again.bundle.digest, first.bundle.digest);
  const wrapped = FASTA.replace(CHR1, CHR1.replaceAll(/(.{50})/g, '$1\r\n'));
  const other = await add({ name: 'wrapped', fasta: file(wrapped) }, storeDir);
  assert.equal(other.bundle.digest, first.bundle.digest);
  assert.match(other.notes.join(), /already there/);
  const names = (await listReferences(storeDir)).map((listing) => listing.name);
  assert.ok(names.includes('tiny') && names.includes('wrapped'));
});

test('checks every file on use, names the broken one, and adding again repairs it', async () => {
  const storeDir = join(root, 'broken');
  const { bundle } = await add({}, storeDir);
  for (const name of ['ref.fa', 'ref.fa.sa', 'ref.dict']) {
    const path = bundle.files[name]?.location ?? '';
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    await assert.rejects(openReference(storeDir, 'tiny'), (error) => {
      assert.ok(error instanceof AppError && error.code === 'REFERENCE_CORRUPT');
      assert.ok(error.message.includes(path));
      assert.match(error.hint ?? '', /reference add tiny --fasta/);
      return true;
    });
    await add({}, storeDir);
    assert.equal((await openReference(storeDir, bundle.digest)).digest, bundle.digest);
  }
  truncateSync(bundle.files['ref.fa.bwt']?.location ?? '', 3);
  await assert.rejects(openReference(storeDir, 'tiny'), /another size/);
  await assert.rejects(openReference(storeDir, 'absent'), /no reference absent/);
});

describe('bad FASTA', () => {
  const cases: readonly [string, string | Buffer, ErrorCode, RegExp][] = [
    ['an empty file', '', 'INPUT_EMPTY', /is empty/],
    ['an empty gzip', gzipSync(''), 'INPUT_EMPTY', /is empty/],
    ['a contig twice', '>a\nAC\n>a\nGT\n', 'INPUT_MALFORMED', /line 3: contig a is there twice/],
    ['a FASTQ', '@r1\nACGT\n+\nIIII\n', 'INPUT_WRONG_FORMAT', /FASTQ/],
    ['gzip of something else', gzipSync('{"a":1}'), 'INPUT_WRONG_FORMAT', /begin with ">"/],
    ['a name that VCF forbids', '>a,b\nAC\n', 'INPUT_MALFORMED', /contig name "a,b"/],
    ['a protein', '>a\nMEEPQSDPSV\n', 'INPUT_MALFORMED', /line 2: "E" is not/],
    ['a contig without bases', '>a\n>b\nAC\n', 'INPUT_MALFORMED', /contig a has no bases/],
    ['a truncated gzip', gzipSync(FASTA).subarray(0, 500), 'INPUT_TRUNCATED', /ends too early/],
  ];
  for (const [what, content, code, words] of cases) {
    test(`refuses ${what}`, () => rejects({ fasta: file(content) }, code, words));
  }
  test('refuses an absent file', () =>
    rejects({ fasta: join(root, 'absent') }, 'INPUT_NOT_FOUND', /cannot read/));
});

describe('annotation VCFs', () => {
  test('are renamed, split, left-aligned, stripped and indexed, without an index of their own', async () => {
    const base = at(100);
    const alts = [...'ACGT'].filter((letter) => letter !== base).slice(0, 2);
    const header = [
      '##FILTER=<ID=q10,Description="x">',
      '##INFO=<ID=ODD,Number=1,Type=Integer,Description="x">',
      '##INFO=<ID=RS,Number=.,Type=String,Description="x">',
    ];
    const sourceRecords = [
      `1 100 11 ${base} ${alts.join(',')} . q10 RS=1;ODD=1;CLNSIG=Pathogenic`,
      snv('MT', 20, 'CLNSIG=Benign', CHRM),
      snv('NT_1', 5),
    ];
    const clinvar = vcf(sourceRecords, { header });
    const { bundle, notes } = await add({ name: 'annotated', clinvar: file(clinvar) });
    const path = bundle.files['clinvar.vcf.gz']?.location ?? '';
    const lines = records(path).map((line) => line.split('\t'));
    assert.deepEqual(
      lines.map(([contig, pos, , , alt, , filter, info]) => [contig, pos, alt, filter, info]),
      [
        ['chr1', '100', alts[0], '.', 'RS=1;CLNSIG=Pathogenic'],
        ['chr1', '100', alts[1], '.', 'RS=1;CLNSIG=Pathogenic'],
        ['chrM', '20', other(at(20, CHRM)), '.', 'CLNSIG=Benign'],
      ],
    );
    assert.ok(bundle.files['clinvar.vcf.gz.tbi']);
    assert.match(notes.join('\n'), /dropped 1 records on contigs.*\(NT_1\)/);
    const manifest = await readManifest(store, 'annotated');
    assert.equal(manifest.sources.find((s) => s.kind === 'clinvar')?.fileDate, '2026-02-26');
  });

  test('that are unsorted are sorted, and the note says so', async () => {
    const gnomad = vcf([snv('chr1', 2000, 'AF=0.1'), snv('chr1', 10, 'AF=0.2')], {
      header: ['##INFO=<ID=AF,Number=A,Type=Float,Description="x">'],
    });
    const { bundle, notes } = await add({ name: 'unsorted', gnomad: file(gnomad) });
    const lines = records(bundle.files['gnomad.vcf.gz']?.location ?? '');
    assert.deepEqual(
      lines.map((line) => line.split('\t')[1]),
      ['10', '2000'],
    );
    assert.match(notes.join(), /has been sorted/);
  });

  test('with no contig of the reference are refused with both sides’ names', () =>
    rejects(
      { clinvar: file(vcf(['9 5 . A C . . .'])) },
      'CONTIG_MISMATCH',
      /first: 9.*first: chr1/,
    ));

  test('with another contig length are refused', () =>
    rejects(
      {
        clinvar: file(vcf([snv('1', 5)], { contigLines: ['##contig=<ID=1,length=248956422>'] })),
      },
      'CONTIG_MISMATCH',
      /248956422 bases, chr1 of the reference has 3000/,
    ));

  test('with positions beyond the contig are refused', () =>
    rejects({ dbsnp: file(vcf(['1 3001 . A C . . .'])) }, 'CONTIG_MISMATCH', /beyond the end/));

  test('with the REF alleles of another assembly are refused', () =>
    rejects(
      { dbsnp: file(vcf([1, 2, 3].map((pos1) => `1 ${pos1} . ${other(at(pos1))} G . . .`))) },
      'CONTIG_MISMATCH',
      /REF differs from the reference in 3 of the first 3/,
    ));

  test('that are truncated or not VCF are refused', async () => {
    const whole = spawnSync('bgzip', ['-c'], { input: vcf([snv('1', 5)]) }).stdout;
    const cut = whole.subarray(0, whole.length - 28);
    await rejects({ clinvar: file(cut) }, 'INPUT_TRUNCATED', /ends too early/);
    await rejects({ clinvar: file('hello\n') }, 'INPUT_WRONG_FORMAT', /not VCF/);
    const undefinedTag = vcf([snv('1', 5, 'ODD=1')]);
    await rejects({ clinvar: file(undefinedTag) }, 'INPUT_MALFORMED', /INFO 'ODD' is not defined/);
    await rejects({ clinvar: file(vcf(['1 x . A C . . .'])) }, 'INPUT_MALFORMED', /line \d+: POS/);
  });
});

describe('gene models', () => {
  const model = (contig: string, end: number, style: 'ensembl' | 'ncbi') => {
    const isNcbi = style === 'ncbi';
    const gene = isNcbi
      ? 'ID=gene-G;Name=G;gene_biotype=protein_coding'
      : 'ID=gene:G;biotype=protein_coding;Name=G';
    const mrna = isNcbi
      ? 'ID=rna-NM_1.2;Parent=gene-G'
      : 'ID=transcript:NM_1;Parent=gene:G;biotype=protein_coding;version=2';
    const parent = isNcbi ? 'Parent=rna-NM_1.2' : 'Parent=transcript:NM_1';
    const row = (type: string, attributes: string, phase = '.') =>
      [contig, 's', type, 101, end, '.', '+', phase, attributes].join('\t');
    // Children first: the order of the source does not matter.
    return `##gff-version 3\n${[
      row('CDS', parent, '0'),
      row('exon', parent),
      row('mRNA', mrna),
      row('gene', gene),
    ].join('\n')}\n`;
  };
  const shown = (path: string) => spawnSync('bgzip', ['-dc', path], { encoding: 'utf8' }).stdout;

  test('of Ensembl and NCBI become the same, with transcript versions', async () => {
    const ensembl = await add({ name: 'ensembl', gff: file(model('1', 400, 'ensembl')) });
    const ncbi = await add({ name: 'ncbi', gff: file(model('chr1', 400, 'ncbi')) });
    const text = shown(ensembl.bundle.files['genes.gff3.gz']?.location ?? '');
    assert.match(text, /ID=transcript:NM_1\.2;Parent=gene:G;biotype=protein_coding/);
    assert.equal(shown(ncbi.bundle.files['genes.gff3.gz']?.location ?? ''), text);
    assert.equal(ncbi.bundle.digest, ensembl.bundle.digest);
    assert.ok(ensembl.bundle.files['snpeff/genes/snpEffectPredictor.bin']);
  });

  test('on contigs that the reference lacks are dropped with a count, or refused when all are', async () => {
    const both = model('chr1', 400, 'ensembl') + model('chr9', 400, 'ncbi');
    const { notes } = await add({ name: 'partly', gff: file(both) });
    assert.match(notes.join(), /dropped 4 features on 1 contigs.*\(chr9\)/);
    await rejects(
      { gff: file(model('chr9', 400, 'ncbi')) },
      'CONTIG_MISMATCH',
      /none of its contigs/,
    );
  });

  test('that reach beyond a contig, are GTF or have no coding transcript are refused', async () => {
    await rejects({ gff: file(model('chr1', 3001, 'ncbi')) }, 'CONTIG_MISMATCH', /beyond the end/);
    const gtf = 'chr1\ts\texon\t1\t9\t.\t+\t.\tgene_id "G"; transcript_id "T";\n';
    await rejects({ gff: file(gtf) }, 'INPUT_WRONG_FORMAT', /GTF/);
    const bare = 'chr1\ts\tgene\t1\t9\t.\t+\t.\tID=G\n';
    await rejects({ gff: file(bare) }, 'INPUT_WRONG_FORMAT', /no transcript with a CDS/);
  });
});

test('killed in the middle it leaves nothing final, and the next add removes what it left', async () => {
  const storeDir = join(root, 'killed');
  const big = file(`>chr1\n${bases(4_000_000, 3)}\n`);
  const script = file(
    `import { addReference } from ${JSON.stringify(join(import.meta.dirname, 'add.ts'))};
     await addReference({ name: 'big', fasta: ${JSON.stringify(big)} }, {
       storeDir: ${JSON.stringify(storeDir)},
       onProgress: (event) => console.log(event.stage),
     });`,
    'add.mjs',
  );
  const args = [
    '--conditions=development',
    '--input-type=module',
    '-e',
    readFileSync(script, 'utf8'),
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  for await (const text of child.stdout) {
    if (!String(text).includes('bwa index')) continue;
    child.kill('SIGKILL');
    break;
  }
  await exited;
  assert.equal(readdirSync(join(storeDir, 'tmp')).length, 1);
  assert.deepEqual(readdirSync(join(storeDir, 'bundles')), []);
  assert.deepEqual(await listReferences(storeDir), []);
  await add({}, storeDir);
  assert.deepEqual(readdirSync(join(storeDir, 'tmp')), []);
  await openReference(storeDir, 'tiny');
});

test('a stop by signal is told as CANCELED and leaves nothing', async () => {
  const storeDir = join(root, 'stopped');
  const controller = new AbortController();
  const adding = addReference(
    { name: 'tiny', fasta },
    {
      storeDir,
      signal: controller.signal,
      onProgress: (event) => event.kind === 'stage' && event.stage === 'fai' && controller.abort(),
    },
  );
  await assert.rejects(adding, (error) => error instanceof AppError && error.code === 'CANCELED');
  assert.deepEqual(readdirSync(join(storeDir, 'tmp')), []);
  assert.deepEqual(readdirSync(join(storeDir, 'bundles')), []);
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Digest, TaskKey } from '@helixmesh/protocol';
import { BUILTINS } from '../builtins.ts';
import { addReference } from '../reference/add.ts';
import { runPrograms } from '../reference/run-tools.ts';
import type { TaskSpec } from '../task/spec.ts';
import { realData, skipReason } from '../testing/real-data.ts';
import { probeTool } from '../tools/probe.ts';
import { annotateStep, annotationSources } from './annotate-step.ts';
import { type Finding, type Findings, findingsSchema } from './findings.ts';
import type { ReferenceBundle } from './input.ts';

const SET = 'brca_panel_grch38';
const data = realData(SET);

/** Runs a task's commands in a new folder, as the executor does. */
async function runSpec(spec: TaskSpec, calls: string, folder: string): Promise<Findings> {
  for (const input of spec.inputs) {
    const path = join(folder, input.name);
    mkdirSync(dirname(path), { recursive: true });
    if (input.kind === 'text') writeFileSync(path, input.text);
    else symlinkSync(input.kind === 'file' ? input.location : calls, path);
  }
  for (const command of spec.commands) {
    if (command.kind === 'builtin') {
      const builtin = BUILTINS[command.name];
      assert.ok(builtin, command.name);
      await builtin({ folder, args: command.args, threads: 1, progress: () => {} });
      continue;
    }
    const argvs = await Promise.all(
      command.stages.map(async ({ tool, args }) => {
        assert.notEqual(tool, 'helixmesh');
        const report = await probeTool(tool as Parameters<typeof probeTool>[0]);
        return [...(report.argv ?? []), ...args];
      }),
    );
    const stdout = command.stdout === undefined ? {} : { stdoutFile: join(folder, command.stdout) };
    await runPrograms(argvs, { cwd: folder, ...stdout });
  }
  return findingsSchema.parse(JSON.parse(readFileSync(join(folder, 'findings.json'), 'utf8')));
}

function inCategory(findings: Findings, category: string): readonly Finding[] {
  return findings.groups.find((group) => group.category === category)?.findings ?? [];
}

const versions = { bcftools: '1.16', snpeff: '5.1d', helixmesh: '1' };
const placeholder = `sha256:${'0'.repeat(64)}`;

function specFor(reference: ReferenceBundle): TaskSpec {
  const calls = { task: placeholder as TaskKey, output: 'x', digest: placeholder as Digest };
  return annotateStep({ calls, reference, toolVersions: versions });
}

describe('annotation of the BRCA panel', { skip: data === null ? skipReason(SET) : false }, () => {
  const root = mkdtempSync(join(tmpdir(), 'annotate-'));
  let reference: ReferenceBundle;
  let runs = 0;

  before(async () => {
    const panel = data ?? '';
    reference = await addReference(
      {
        name: 'panel',
        fasta: join(panel, 'ref.fa'),
        gff: join(panel, 'genes.gff3'),
        clinvar: join(panel, 'clinvar.slice.vcf.gz'),
      },
      { storeDir: join(root, 'store') },
    );
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  const annotate = (calls: string): Promise<Findings> => {
    const folder = join(root, `run-${runs++}`);
    mkdirSync(folder);
    return runSpec(specFor(reference), calls, folder);
  };
  const annotateText = (name: string, lines: readonly string[]): Promise<Findings> => {
    const header = [
      '##fileformat=VCFv4.2',
      '##contig=<ID=chr13,length=200000>',
      '##contig=<ID=chr17,length=200000>',
      '##FILTER=<ID=LowQual,Description="Low quality">',
      '##INFO=<ID=END,Number=1,Type=Integer,Description="End">',
      '##INFO=<ID=CLNSIG,Number=.,Type=String,Description="Not ours">',
      '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
      '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">',
      '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Depths">',
      '#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS',
    ];
    const path = join(root, name);
    const text = `${[...header, ...lines.map((line) => line.replaceAll(' ', '\t'))].join('\n')}\n`;
    const packed = spawnSync('bgzip', ['-c'], { input: text });
    writeFileSync(path, packed.stdout);
    return annotate(path);
  };

  test('quotes the pathogenic variant of the father with gene, HGVS and review stars', async () => {
    const findings = await annotate(join(data ?? '', 'father.truth.vcf.gz'));
    const pathogenic = inCategory(findings, 'pathogenic');
    assert.equal(pathogenic.length, 1);
    const [variant] = pathogenic as [Finding];
    assert.equal(
      `${variant.refName}:${variant.pos1}${variant.ref}>${variant.alt}`,
      'chr17:57062T>TG',
    );
    assert.equal(variant.gene, 'BRCA1');
    assert.equal(variant.transcript, 'NM_007294.3');
    assert.equal(variant.hgvsC, 'c.5266dupC');
    assert.equal(variant.hgvsP, 'p.Gln1756fs');
    assert.equal(variant.consequence, 'frameshift_variant');
    assert.deepEqual(variant.zygosity, { kind: 'heterozygous' });
    assert.equal(variant.rsId, 'rs80357906');
    assert.equal(variant.clinvar?.significance, 'Pathogenic');
    assert.equal(variant.clinvar?.reviewStatus, 'reviewed by expert panel');
    assert.equal(variant.clinvar?.stars, 3);
    assert.equal(variant.clinvar?.variationId, '17677');
    assert.match(variant.clinvar?.hgvs ?? '', /^NC_000017\.11:g\.43057/);
    const uncertain = inCategory(findings, 'uncertain significance');
    assert.deepEqual(
      uncertain.map(
        (finding) => `${finding.refName}:${finding.pos1} ${finding.clinvar?.variationId}`,
      ),
      ['chr13:79480 462504'],
    );
    const total = findings.groups.reduce((sum, group) => sum + group.total, 0);
    assert.equal(total, findings.counts.total);
    assert.ok(findings.counts.total > 100);
  });

  test('finds nothing pathogenic in the control', async () => {
    const findings = await annotate(join(data ?? '', 'control.truth.vcf.gz'));
    assert.ok(findings.counts.total > 50);
    for (const category of ['pathogenic', 'likely pathogenic']) {
      assert.deepEqual(inCategory(findings, category), []);
    }
  });

  test('gives an empty list for calls without variants', async () => {
    const findings = await annotateText('none.vcf.gz', []);
    assert.equal(findings.counts.total, 0);
    assert.equal(findings.mitochondrial, null);
  });

  test('copes with haploid, partial, multi-allelic, star and symbolic calls', async () => {
    const findings = await annotateText('odd.vcf.gz', [
      'chr13 41387 . C A 50 PASS CLNSIG=Pathogenic GT:DP:AD 1:30:0,30',
      'chr13 50510 . G <DEL> 50 PASS END=50600 GT 0/1',
      'chr13 50747 . C * 50 PASS . GT 0/1',
      'chr17 57062 . T TG,C 50 LowQual . GT:DP:AD 1/2:30:2,14,14',
      'chr17 57065 . G T 50 PASS . GT .',
      'chr17 57066 . A T 50 PASS . GT ./1',
    ]);
    const [duplication] = inCategory(findings, 'pathogenic') as [Finding];
    assert.equal(inCategory(findings, 'pathogenic').length, 1, 'only the bundle’s ClinVar speaks');
    assert.equal(duplication.hgvsC, 'c.5266dupC');
    assert.deepEqual(duplication.alleleDepths, [2, 14]);
    assert.equal(duplication.depth, 30);
    assert.equal(duplication.alleleFraction, 0.4667);
    assert.equal(duplication.filter, 'LowQual');
    assert.equal(findings.counts.total, 5);
    const unknown = findings.groups
      .flatMap((group) => group.findings)
      .find((finding) => finding.pos1 === 57066);
    assert.deepEqual(unknown?.zygosity, { kind: 'unknown' });
  });

  test('gives the same findings and task for the same calls', async () => {
    const calls = join(data ?? '', 'father.truth.vcf.gz');
    assert.deepEqual(await annotate(calls), await annotate(calls));
    assert.deepEqual(specFor(reference), specFor(reference));
  });

  test('takes rs ids from dbSNP and frequencies from gnomAD at exactly the same allele', async () => {
    const panel = data ?? '';
    const site = (name: string, rows: readonly string[]) => {
      const head = '##fileformat=VCFv4.2\n##INFO=<ID=AF,Number=A,Type=Float,Description="x">\n';
      const columns = '#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n';
      const path = join(root, name);
      writeFileSync(path, `${head}${columns}${rows.join('\n').replaceAll(' ', '\t')}\n`);
      return path;
    };
    const sources = {
      dbsnp: site('dbsnp.vcf', ['17 57062 rs1 T TG,TGG . . .']),
      gnomad: site('gnomad.vcf', [
        'chr13 79480 . G A,C . . AF=0.25,0.5',
        '17 57062 . T TGGG . . AF=1',
      ]),
    };
    const bundle = await addReference(
      { name: 'sites', fasta: join(panel, 'ref.fa'), ...sources },
      { storeDir: join(root, 'store') },
    );
    const folder = join(root, 'sites');
    mkdirSync(folder);
    await runSpec(specFor(bundle), join(panel, 'father.truth.vcf.gz'), folder);
    const query = ['query', '-f', '%POS %ALT %ID %INFO/GNOMAD_AF\\n', 'annotated.vcf.gz'];
    const shown = spawnSync('bcftools', query, { cwd: folder, encoding: 'utf8' }).stdout.split(
      '\n',
    );
    assert.ok(shown.includes('57062 TG rs1 .'), 'another insertion’s frequency is not taken');
    assert.ok(shown.includes('79480 C . 0.5'));
  });

  test('annotates without gene models and without ClinVar, and says so', async () => {
    const panel = data ?? '';
    const bare = await addReference(
      { name: 'bare', fasta: join(panel, 'ref.fa') },
      { storeDir: join(root, 'store') },
    );
    const none = { clinvar: false, dbsnp: false, gnomad: false, consequences: false, hgvs: false };
    assert.deepEqual(annotationSources(bare), none);
    const folder = join(root, 'bare');
    mkdirSync(folder);
    const findings = await runSpec(specFor(bare), join(panel, 'father.truth.vcf.gz'), folder);
    assert.deepEqual(findings.sources, none);
    assert.equal(findings.counts.inClinvar, 0);
    assert.ok(findings.counts.total > 100);
  });
});

/**
 * Prepares the gene models of a bundle: `genes.gff3.gz` (sorted, bgzip, tabix) for `bcftools csq`.
 */
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AppError } from '@helixmesh/protocol';
import type { Contig } from '../germline/input.ts';
import { type ContigMapper, contigMapper, noCommonContig } from './contig-mapper.ts';
import { GeneModels, type GffFeature, parseFeature } from './gff-models.ts';
import { MAX_DROPPED_NAMES, MAX_SOURCE_LINE_BYTES, SORT_MEMORY_MIB } from './limits.ts';
import { runPrograms, runTools } from './run-tools.ts';
import { readSource, type SourceFile } from './source-stream.ts';

export interface GffOptions {
  readonly folder: string;
  readonly contigs: readonly Contig[];
  readonly signal?: AbortSignal | undefined;
}

const HINT_FORM =
  'Give GFF3 of Ensembl, GENCODE or NCBI RefSeq: genes with ID and biotype, transcripts with ' +
  'ID and Parent, exon and CDS lines with Parent.';
const FILE = 'genes.gff3.gz';

/** Writes `genes.gff3.gz` and its `.tbi`; gives notes for people. Throws AppError. */
export async function prepareGff(path: string, options: GffOptions): Promise<readonly string[]> {
  const source: SourceFile = { path, label: '--gff' };
  const { folder: cwd, signal } = options;
  const models = new GeneModels();
  const survey = new ContigSurvey(source, options.contigs);
  for await (const feature of features(source, signal)) {
    models.learn(feature);
    survey.see(feature);
    if (models.isFull) throw wrongForm(source, 'it has too many gene models');
  }
  survey.finish();
  if (models.codingTranscripts === 0) {
    throw wrongForm(source, 'no transcript with a CDS was found in it');
  }

  const plain = join(cwd, 'genes.unsorted.gff3');
  async function* converted(): AsyncGenerator<string> {
    for await (const feature of features(source, signal)) {
      const contig = survey.mapper.map(feature.contig);
      if (contig === null) continue;
      for (const line of models.convert(feature, contig.name)) yield `${line}\n`;
    }
  }
  await pipeline(converted, createWriteStream(plain), signal === undefined ? {} : { signal });
  const sorted = join(cwd, 'genes.sorted.gff3');
  // Whole lines last, so that the order of the source does not matter.
  const keys = ['-t', '\t', '-k1,1', '-k4,4n', '-k5,5nr', '-k3,3', '-k9,9'];
  const memory = ['-S', `${SORT_MEMORY_MIB}M`, '-T', cwd];
  await runPrograms([['sort', ...keys, ...memory, plain]], { cwd, signal, stdoutFile: sorted });
  await runTools([{ tool: 'bgzip', args: ['-c', sorted] }], {
    cwd,
    signal,
    stdoutFile: join(cwd, FILE),
  });
  await runTools([{ tool: 'tabix', args: ['-p', 'gff', FILE] }], { cwd, signal });
  await rm(plain);
  await rm(sorted);
  return survey.notes();
}

class ContigSurvey {
  readonly mapper: ContigMapper;
  private readonly source: SourceFile;
  private readonly contigs: readonly Contig[];
  private readonly dropped = new Map<string, number>();
  private kept = 0;

  constructor(source: SourceFile, contigs: readonly Contig[]) {
    this.source = source;
    this.contigs = contigs;
    this.mapper = contigMapper(contigs, { label: source.label, statedLengths: new Map() });
  }

  see(feature: GffFeature): void {
    const contig = this.mapper.map(feature.contig);
    if (contig === null) {
      this.dropped.set(feature.contig, (this.dropped.get(feature.contig) ?? 0) + 1);
      return;
    }
    this.kept++;
    if (feature.end1 <= contig.lengthBases) return;
    throw new AppError(
      'CONTIG_MISMATCH',
      `${this.source.label}: a feature ends at ${feature.end1}, beyond the end of ` +
        `${contig.name} (${contig.lengthBases} bases)`,
      { hint: 'Give gene models of the same genome assembly as the FASTA.' },
    );
  }

  finish(): void {
    if (this.kept > 0) return;
    if (this.dropped.size === 0) throw wrongForm(this.source, 'it has no feature lines');
    throw noCommonContig(this.source.label, [...this.dropped.keys()], this.contigs);
  }

  notes(): readonly string[] {
    if (this.dropped.size === 0) return [];
    const count = [...this.dropped.values()].reduce((sum, n) => sum + n, 0);
    const names = [...this.dropped.keys()].slice(0, MAX_DROPPED_NAMES).join(', ');
    const more = this.dropped.size > MAX_DROPPED_NAMES ? ', …' : '';
    return [
      `gff: dropped ${count} features on ${this.dropped.size} contigs that the reference does ` +
        `not have (${names}${more}).`,
    ];
  }
}

/** Feature lines up to `##FASTA`. Throws INPUT_WRONG_FORMAT for what is no GFF3. */
async function* features(source: SourceFile, signal?: AbortSignal): AsyncGenerator<GffFeature> {
  let number = 0;
  for await (const line of lines(source, signal)) {
    number++;
    if (line === '##FASTA') return;
    if (line === '' || line.startsWith('#')) continue;
    const feature = parseFeature(line);
    if (feature === null) throw wrongForm(source, `line ${number} has not nine GFF3 columns`);
    if (feature.attributes.size === 0) {
      const isGtf = /(gene|transcript)_id "/.test(line);
      throw wrongForm(source, isGtf ? 'it is GTF' : `line ${number} has no attributes`);
    }
    yield feature;
  }
}

async function* lines(source: SourceFile, signal?: AbortSignal): AsyncGenerator<string> {
  let carry: Buffer = Buffer.alloc(0);
  for await (const chunk of readSource(source, signal)) {
    const data = carry.length === 0 ? chunk : Buffer.concat([carry, chunk]);
    let from = 0;
    for (let end = data.indexOf(0x0a); end !== -1; end = data.indexOf(0x0a, from)) {
      yield data.toString('utf8', from, end).trimEnd();
      from = end + 1;
    }
    carry = Buffer.from(data.subarray(from));
    if (carry.length > MAX_SOURCE_LINE_BYTES) throw wrongForm(source, 'a line is too long');
  }
  if (carry.length > 0) yield carry.toString('utf8').trimEnd();
}

function wrongForm(source: SourceFile, why: string): AppError {
  return new AppError('INPUT_WRONG_FORMAT', `${source.label}: ${source.path}: ${why}`, {
    hint: HINT_FORM,
  });
}

/**
 * Prepares one annotation VCF (ClinVar, dbSNP, gnomAD) for `bcftools annotate`: contigs renamed,
 * one allele a record, left-aligned, only the INFO fields in use, compressed and indexed. It
 * streams: dbSNP has 25 GB.
 */
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '@helixmesh/protocol';
import type { Contig } from '../germline/input.ts';
import { FastaReader } from './fasta-reader.ts';
import { SORT_MEMORY_MIB } from './limits.ts';
import { runTools, type ToolStage } from './run-tools.ts';
import { readSource, type SourceFile } from './source-stream.ts';
import { emptyStats, filterVcf, type VcfFilterStats } from './vcf-source-filter.ts';

export type AnnotationKind = 'clinvar' | 'dbsnp' | 'gnomad';
export const ANNOTATION_KINDS: readonly AnnotationKind[] = ['clinvar', 'dbsnp', 'gnomad'];

/** What the annotation step copies into the calls. */
export const KEPT_INFO: Readonly<Record<AnnotationKind, readonly string[]>> = {
  clinvar: ['CLNSIG', 'CLNSIGCONF', 'CLNREVSTAT', 'CLNDN', 'CLNHGVS', 'CLNVC', 'GENEINFO', 'RS'],
  dbsnp: [],
  gnomad: ['AF'],
};

/** Definitions for a source that has not all of them: `bcftools annotate -c` demands each. */
function definition(tag: string): string {
  const type = tag === 'AF' ? 'Number=A,Type=Float' : 'Number=.,Type=String';
  return `##INFO=<ID=${tag},${type},Description="Not given by the source">`;
}

export interface AnnotationVcfOptions {
  /** Folder of the bundle in the making, with `ref.fa` in it. */
  readonly folder: string;
  readonly contigs: readonly Contig[];
  readonly signal?: AbortSignal | undefined;
}

export interface PreparedAnnotation {
  readonly file: string;
  readonly fileDate: string | null;
  /** What people should know, in sentences; empty when all went as usual. */
  readonly notes: readonly string[];
}

/** Writes `<kind>.vcf.gz` and its `.tbi` into the folder. Throws AppError for bad input. */
export async function prepareAnnotation(
  kind: AnnotationKind,
  path: string,
  options: AnnotationVcfOptions,
): Promise<PreparedAnnotation> {
  const source: SourceFile = { path, label: `--${kind}` };
  const { folder: cwd, contigs, signal } = options;
  const file = `${kind}.vcf.gz`;
  const stats = emptyStats();
  using reference = new FastaReader(join(cwd, 'ref.fa'), contigs);
  const kept = KEPT_INFO[kind];
  const info = new Map(kept.map((tag) => [tag, definition(tag)]));
  const filter = { source, contigs, reference, info };
  const feed = filterVcf(readSource(source, signal), filter, stats);
  const drop = kept.length === 0 ? 'INFO' : `^${kept.map((tag) => `INFO/${tag}`).join(',')}`;
  const stages: readonly ToolStage[] = [
    // First, in one process with the parsing: tags that the header lacks do not survive BCF.
    { tool: 'bcftools', args: ['annotate', '-x', `FILTER,${drop}`, '--no-version', '-Ou', '-'] },
    { tool: 'bcftools', args: ['view', '-G', '--no-version', '-Ou', '-'] },
    {
      tool: 'bcftools',
      args: [
        ...['norm', '-f', 'ref.fa', '-m', '-any', '-c', 'x'],
        ...['--no-version', '-Oz', '-o', file, '-'],
      ],
    },
  ];
  const stderr = await runTools(stages, { cwd, signal, feed }).catch((error: unknown) => {
    throw refusedByBcftools(source, error);
  });
  if (!stats.isSorted) await sortInPlace(file, options);
  await runTools([{ tool: 'bcftools', args: ['index', '-t', file] }], { cwd, signal });
  return { file, fileDate: stats.fileDate, notes: notesOf(kind, stats, stderr.at(-1) ?? '') };
}

/** A VCF that bcftools does not accept is the user's file, not a broken tool. */
function refusedByBcftools(source: SourceFile, error: unknown): unknown {
  if (!(error instanceof AppError) || error.code !== 'TOOL_FAILED') return error;
  return new AppError('INPUT_MALFORMED', `${source.label}: ${source.path}: ${error.message}`, {
    hint: 'Repair the file: every INFO, FILTER and FORMAT in use needs its header line.',
    cause: error,
  });
}

async function sortInPlace(file: string, options: AnnotationVcfOptions): Promise<void> {
  const { folder: cwd, signal } = options;
  const sorted = `sorted.${file}`;
  const memory = ['-m', `${SORT_MEMORY_MIB}M`, '-T', './sort-'];
  await runTools([{ tool: 'bcftools', args: ['sort', ...memory, '-Oz', '-o', sorted, file] }], {
    cwd,
    signal,
  });
  // sort has no --no-version; it adds no line of its own in 1.16 and later.
  await rm(join(cwd, file));
  await rename(join(cwd, sorted), join(cwd, file));
}

function notesOf(kind: string, stats: VcfFilterStats, normStderr: string): readonly string[] {
  const notes: string[] = [];
  if (stats.keptRecords === 0) notes.push(`${kind}: it has no records on the reference.`);
  if (stats.droppedRecords > 0) {
    const names = stats.droppedContigs.join(', ');
    notes.push(
      `${kind}: dropped ${stats.droppedRecords} records on contigs that the reference does not ` +
        `have (${names}${stats.droppedContigs.length === 5 ? ', …' : ''}).`,
    );
  }
  if (!stats.isSorted) notes.push(`${kind}: it was not sorted and has been sorted.`);
  const skipped = Number(/skipped:\s+\d+\/\d+\/\d+\/(\d+)/.exec(normStderr)?.[1] ?? 0);
  if (skipped > 0) {
    notes.push(`${kind}: left out ${skipped} records whose REF differs from the reference.`);
  }
  return notes;
}

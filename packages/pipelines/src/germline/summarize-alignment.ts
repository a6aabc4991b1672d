/**
 * The builtin `summarize-alignment`: from what fastp and samtools wrote to `qc.json` and
 * `decision.json`.
 *
 * Args: `{ reads, isPaired, sex }`; `reads` is what the intake counted.
 * Conservation: the reads that fastp took in are those of the intake, and those it let out are the
 * primary records of the BAM; else RESULT_DIFFERS, for then a tool died or dropped reads unseen.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, canonicalJson } from '@helixmesh/protocol';
import { z } from 'zod';
import type { BuiltinContext } from '../task/builtin.ts';
import { DECISION_VERSION, type Decision } from './decision.ts';
import { callSex, type SexCall } from './ploidy.ts';
import { type QcInputs, qcModel } from './qc-from-tools.ts';
import type { QcModel } from './qc-model.ts';
import {
  parseCoverage,
  parseFastp,
  parseFlagstat,
  parseMarkdup,
  parseStats,
} from './tool-output.ts';

const argsSchema = z.strictObject({
  reads: z.int().min(0),
  isPaired: z.boolean(),
  sex: z.enum(['infer', 'XX', 'XY']),
});

export async function summarizeAlignment(context: BuiltinContext): Promise<void> {
  const args = argsSchema.parse(context.args);
  const text = (name: string) => readFile(join(context.folder, name), 'utf8');
  const inputs: QcInputs = {
    isPaired: args.isPaired,
    fastp: parseFastp(await text('fastp.json')),
    flags: parseFlagstat(await text('flagstat.json')),
    coverage: parseCoverage(await text('coverage.tsv')),
    stats: parseStats(await text('stats.txt')),
    markdup: parseMarkdup(await text('markdup.txt')),
  };
  checkConservation(args.reads, inputs);
  const sex = callSex(inputs.coverage, args.sex);
  const qc = qcModel(inputs, sex);
  const write = (name: string, value: unknown) =>
    writeFile(join(context.folder, name), `${canonicalJson(value)}\n`);
  await write('qc.json', qc);
  await write('decision.json', decisionOf(qc, sex));
  context.progress(1);
}

function checkConservation(taken: number, { fastp, flags }: QcInputs): void {
  const { before_filtering: before, after_filtering: after } = fastp.summary;
  const hint = 'Run the job again; if it happens again, report the tool versions.';
  if (before.total_reads !== taken) {
    throw new AppError(
      'RESULT_DIFFERS',
      `fastp read ${before.total_reads} reads of ${taken} in the files`,
      { hint, details: { expected: taken, got: before.total_reads } },
    );
  }
  if (after.total_reads !== flags.primary) {
    throw new AppError(
      'RESULT_DIFFERS',
      `the BAM has ${flags.primary} primary records for ${after.total_reads} trimmed reads`,
      { hint, details: { expected: after.total_reads, got: flags.primary } },
    );
  }
}

function decisionOf({ coverage, alignment }: QcModel, sex: SexCall): Decision {
  return {
    formatVersion: DECISION_VERSION,
    meanDepth: coverage.meanDepth,
    callableDepth: coverage.callableDepth,
    readsAligned: alignment.primaryMapped,
    sex,
  };
}

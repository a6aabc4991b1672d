import { resolve } from 'node:path';
import type { Client } from '@helixmesh/client';
import type { JobSubmissionInput, JobView } from '@helixmesh/protocol';
import { type Command, Option } from 'commander';
import { answer, type Context, contextOf } from '../context.ts';
import { connect } from '../node-access.ts';
import { ensureReference, type ReferenceOptions } from '../reference-options.ts';
import { readSamples, type Sample, type SampleOptions } from '../samples.ts';
import { stateText } from '../ui/job-text.ts';
import { pairs } from '../ui/table.ts';

export interface SubmitOptions extends ReferenceOptions, SampleOptions {
  readonly out?: string;
  readonly aligner: 'bwa' | 'minimap2';
  readonly caller: 'auto' | 'freebayes' | 'bcftools';
  readonly keep?: boolean;
}

export function addSubmit(program: Command): void {
  withSubmitOptions(
    program
      .command('submit')
      .summary('hand a sample to the running daemon')
      .description('Queues an analysis at the daemon of the data folder and returns at once.'),
  ).action(async (options: SubmitOptions, command) => {
    const context = contextOf(command);
    const client = connect(context);
    await client.call('getHealth', { params: {} });
    const jobs = await submitJobs(client, await prepareSubmissions(context, options));
    answer(
      context,
      jobs,
      jobs.map((job) => pairs([[job.sampleId, `${job.jobId}  ${stateText(job)}`]])).join('\n'),
    );
  });
}

/** The options that `run` and `submit` share. */
export function withSubmitOptions(command: Command): Command {
  return command
    .option('--sample <name>', 'name of the sample, as it shall stand in the results')
    .option('--r1 <fastq>', 'reads, plain or gzipped')
    .option('--r2 <fastq>', 'their mates; leave out for single-end reads')
    .option('--samplesheet <csv>', 'many samples at once: columns sample, r1, r2, sex')
    .requiredOption('--reference <fasta-or-name>', 'a FASTA file, or a bundle of `reference add`')
    .option('--gff <gff3>', 'gene models, for consequences and HGVS names')
    .option('--clinvar <vcf>', 'ClinVar, for clinical significance')
    .option('--dbsnp <vcf>', 'dbSNP, for rs numbers')
    .option('--gnomad <vcf>', 'gnomAD, for allele frequencies')
    .option('--par <bed>', 'pseudo-autosomal regions of X and Y')
    .option('--out <dir>', 'output folder (default: helixmesh-<sample>)')
    .addOption(
      new Option('--sex <sex>', 'sex of the sample')
        .choices(['infer', 'XX', 'XY'])
        .default('infer'),
    )
    .addOption(
      new Option('--caller <name>', 'auto takes bcftools below 20× mean depth, else freebayes')
        .choices(['auto', 'freebayes', 'bcftools'])
        .default('auto'),
    )
    .addOption(
      new Option('--aligner <name>', 'aligner').choices(['bwa', 'minimap2']).default('bwa'),
    )
    .option('--keep', 'keep intermediate files');
}

/** Checks every sample and prepares the reference once, before any node is asked. */
export async function prepareSubmissions(
  context: Context,
  options: SubmitOptions,
): Promise<JobSubmissionInput[]> {
  const samples = await readSamples(options);
  const reference = await ensureReference(context, options);
  return samples.map((sample) =>
    submissionOf(sample, { reference, options, several: samples.length > 1 }),
  );
}

/** Answers the new jobs, or those that do the same work already. */
export async function submitJobs(
  client: Client,
  submissions: readonly JobSubmissionInput[],
): Promise<JobView[]> {
  const jobs: JobView[] = [];
  for (const body of submissions) jobs.push(await client.call('submitJob', { params: {}, body }));
  return jobs;
}

function submissionOf(
  sample: Sample,
  { reference, options, several }: { reference: string; options: SubmitOptions; several: boolean },
): JobSubmissionInput {
  return {
    pipeline: 'germline',
    sampleId: sample.sampleId,
    r1: sample.r1,
    ...(sample.r2 === null ? {} : { r2: sample.r2 }),
    reference,
    outDir: outDirOf(sample.sampleId, { out: options.out, several }),
    parameters: { aligner: options.aligner, caller: options.caller, sex: sample.sex },
    keepIntermediates: options.keep ?? false,
  };
}

/** Several samples get a folder each below the one given. */
function outDirOf(
  sampleId: string,
  { out, several }: { out: string | undefined; several: boolean },
): string {
  if (out === undefined) return resolve(`helixmesh-${sampleId}`);
  return several ? resolve(out, sampleId) : resolve(out);
}

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { EvaluationResult } from '@helixmesh/pipelines';
import { AppError, type JobView } from '@helixmesh/protocol';
import type { Command } from 'commander';
import { answer, type Context, contextOf } from '../context.ts';
import { bold, dim } from '../ui/style.ts';
import { evaluationText } from './evaluate.ts';
import { resultText, runJobs } from './run.ts';
import { simulateSample, simulationText } from './simulate.ts';

interface Options {
  readonly out: string;
  readonly small?: boolean;
}

const SAMPLE = 'DEMO';
/** 24 contigs so that the fan-out is that of a human genome; small enough for under a minute. */
const FULL_SIZE = { seed: 42, contigs: 24, bases: 25_000, coverage: 30, sex: 'XY' } as const;
const SMALL_SIZE = { ...FULL_SIZE, contigs: 3, bases: 20_000 } as const;

export function addDemo(program: Command): void {
  program
    .command('demo')
    .summary('the whole analysis on a simulated genome, with its truth')
    .description(
      'Simulates a genome of 24 contigs and its reads, analyses them from FASTQ to report, and ' +
        'compares the calls with the truth. A second time it reuses what is finished.',
    )
    .option('--out <dir>', 'folder for everything, the data of the node included', 'helixmesh-demo')
    .option('--small', '3 contigs instead of 24')
    .action(async (options: Options, command) => {
      const folder = resolve(options.out);
      const context = demoContext(command, folder);
      await simulated(context, folder, options.small ?? false);
      const [job] = await analysed(context, folder);
      if (job === undefined) throw new AppError('INTERNAL', 'the demo has no job');
      const accuracy = await compared(folder, job);
      answer(context, { job, accuracy }, demoText(job, accuracy));
    });
}

/** The demo keeps its data in its own folder, unless told otherwise by --data. */
function demoContext(command: Command, folder: string): Context {
  const { data } = command.optsWithGlobals<{ data?: string }>();
  return contextOf(command, { dataDir: data ?? join(folder, 'data') });
}

function inputs(folder: string): string {
  return join(folder, 'input');
}

async function simulated(context: Context, folder: string, isSmall: boolean): Promise<void> {
  const say = (text: string) => {
    if (!context.quiet) process.stderr.write(`${text}\n`);
  };
  if (existsSync(join(inputs(folder), 'manifest.json'))) {
    say(`Using the simulated sample in ${inputs(folder)}.`);
    return;
  }
  say('Simulating a genome and its reads …');
  const size = isSmall ? SMALL_SIZE : FULL_SIZE;
  const manifest = await simulateSample(inputs(folder), { sample: SAMPLE, ...size });
  say(simulationText(inputs(folder), manifest));
}

function analysed(context: Context, folder: string): Promise<JobView[]> {
  const file = (name: string) => join(inputs(folder), name);
  return runJobs(context, {
    sample: SAMPLE,
    r1: file('reads_R1.fastq.gz'),
    r2: file('reads_R2.fastq.gz'),
    reference: file('ref.fa'),
    gff: file('genes.gff3'),
    clinvar: file('clinvar.vcf.gz'),
    dbsnp: file('dbsnp.vcf.gz'),
    gnomad: file('gnomad.vcf.gz'),
    par: file('par.bed'),
    out: join(folder, 'results'),
    sex: 'infer',
    caller: 'auto',
    aligner: 'bwa',
  });
}

async function compared(folder: string, job: JobView): Promise<EvaluationResult> {
  const { evaluate } = await import('@helixmesh/pipelines');
  return evaluate({
    truth: join(inputs(folder), 'truth.vcf.gz'),
    calls: join(job.outDir, `${SAMPLE}.vcf.gz`),
    reference: join(inputs(folder), 'ref.fa'),
    confident: join(inputs(folder), 'confident.bed'),
  });
}

function demoText(job: JobView, accuracy: EvaluationResult): string {
  return [
    resultText(job),
    bold('Against the truth of the simulation'),
    evaluationText(accuracy),
    dim('A simulated genome shows that the analysis works, not how accurate it is on real reads.'),
  ].join('\n\n');
}

/** `biofs analyze`. */
import { join } from 'node:path';
import { AppError, type Digest, SPREAD_MAX } from '@helixmesh/protocol';
import type { NetworkJobView } from '@helixmesh/protocol/sealing';
import { type Command, InvalidArgumentError } from 'commander';
import { answer, type Context, contextOf } from '../../context.ts';
import type { AnalysisRequest } from '../analysis/sign-job.ts';
import type { SubmitAnalysisOptions, Submitted } from '../analysis/submit-analysis.ts';
import { parseAccounts, parseZones } from '../terms-options.ts';
import { COORDINATOR, showProgress } from './jobs.ts';

interface Options {
  readonly reference: string;
  readonly pipeline: string;
  readonly spread: number;
  readonly redundancy: number;
  readonly attempts?: number;
  readonly maxPrice?: string;
  readonly coordinator?: string;
  readonly zones?: readonly string[];
  readonly operators?: readonly string[];
  readonly commercial?: boolean;
  readonly acceptOne?: boolean;
  readonly days: number;
  readonly anew?: boolean;
  readonly wait?: boolean;
  readonly printRequest?: boolean;
  readonly passphraseFile?: string;
}

const PIPELINE = 'germline';
/** One dollar. */
const PRICE_MICRO_USD = '1000000';
const DAY_MS = 86_400_000;
const DAYS = 7;
/** What the schema of jobs allows. */
const DAYS_MAX = 14;
const REDUNDANCY_MAX = 7;
const ATTEMPTS_MAX = 15;

export function addAnalyze(program: Command): void {
  program
    .command('analyze')
    .summary('let operators of the network analyse sealed reads')
    .description(
      'Signs a job with your wallet and sends it to the coordinator, which places it at nodes that ' +
        'the owners of the reads allow. Each gets the keys from the custodians for this job alone, ' +
        'and their results are compared. Killed and given again, it is the same job.',
    )
    .argument('<reads...>', 'datasets with R1 and R2 of one sample, or with single-end reads')
    .requiredOption('--reference <name>', 'name of a reference in this folder, or its digest')
    .option('--pipeline <name>', 'what is done', PIPELINE)
    .option(
      '--spread <n>',
      'parts that the calls are spread over; more operators see the data (1 to 64)',
      parseCount,
      1,
    )
    .option('--redundancy <n>', 'operators that do the same and must agree', parseCount, 2)
    .option(
      '--attempts <n>',
      'attempts at most (default: 4 more than twice the redundancy)',
      parseCount,
    )
    .option('--max-price <usd>', 'for all of it, e.g. 0.50 (default 1)', parsePrice)
    .option(...COORDINATOR)
    .option('--zones <zones>', 'only in these legal zones, e.g. EU,MX', parseZones)
    .option('--operators <accounts>', 'only at these operators, 0x…,0x…', parseAccounts)
    .option('--commercial', 'for commercial use')
    .option('--accept-one', 'where too few operators may do it: one, checked by nobody')
    .option('--days <n>', 'give it up after so many days, 1 to 14', parseCount, DAYS)
    .option('--anew', 'a job of its own though the same was asked before')
    .option('--wait', 'wait until it is over')
    .option('--print-request', 'send nothing: print the body of POST /bionfs/v1/execute_job')
    .option('--passphrase-file <file>', 'its first line opens the keystore')
    .action(async (reads: string[], options: Options, command) => {
      const context = contextOf(command);
      const { withPerson } = await import('../person.ts');
      const hint = 'The same command goes on with the same job; so does the network without it.';
      await withPerson(context, hint, async (person) => {
        if (options.printRequest === true) {
          const body = await printable(context, person, { reads, options });
          return answer(context, body, JSON.stringify(body));
        }
        const submitted = await submit(context, person, { reads, options });
        const { record, isNew } = submitted;
        let { view } = submitted;
        if (options.wait === true) view = await showProgress(context, person, submitted);
        const { shortId } = await import('../find-dataset.ts');
        const value = { shortId: shortId(record.id), isNew, ...view };
        answer(context, value, await textOf({ ...submitted, view }, options.wait === true));
      });
    });
}

interface Given {
  readonly reads: readonly string[];
  readonly options: Options;
}

type Person = Parameters<typeof showProgress>[1];

async function submit(context: Context, person: Person, given: Given) {
  const { submitAnalysis } = await import('../analysis/submit-analysis.ts');
  const wanted = await wantedBy(context, given);
  const submitted = await alone(context, given, (own) => submitAnalysis(person, wanted, own));
  return { ...submitted, coordinator: wanted.coordinator, dataDir: context.paths.dataDir };
}

/** Signed for the coordinator, for a minute; the job in it stays the same until it has ended. */
async function printable(context: Context, person: Person, given: Given) {
  const { signAnalysis } = await import('../analysis/submit-analysis.ts');
  const { executeJobBody } = await import('@helixmesh/client/network');
  const wanted = await wantedBy(context, given);
  const record = await alone(context, given, (own) => signAnalysis(person, wanted, own));
  const { job, evidence, document } = record;
  const { sessionKey: secretKey, session } = person.login;
  const signer = { secretKey, session };
  const signing = { address: wanted.coordinator, network: person.network, signer, now: Date.now };
  const { r1 } = document.parameters;
  return executeJobBody(signing, {
    ip_id: String(r1) as Digest,
    pipeline: document.pipeline.name,
    parameters: { job, evidence },
  });
}

/** With the lock of the jobs. */
async function alone<T>(
  { paths: { dataDir } }: Context,
  { options }: Given,
  use: (own: SubmitAnalysisOptions) => Promise<T>,
): Promise<T> {
  const { lockDataFolder } = await import('@helixmesh/daemon/data-folder');
  const lock = await lockDataFolder(join(dataDir, 'analyze.lock'));
  try {
    const { anew: isAnew = false, passphraseFile } = options;
    return await use({ dataDir, isAnew, passphraseFile });
  } finally {
    await lock.release();
  }
}

async function wantedBy(context: Context, { reads, options }: Given): Promise<AnalysisRequest> {
  const { findCoordinator, findReference } = await import('../analysis/find-coordinator.ts');
  const coordinator = await findCoordinator(context, options.coordinator);
  const reference = await findReference(context, options.reference);
  const { spread, redundancy, attempts = Math.min(ATTEMPTS_MAX, 2 * redundancy + 4) } = options;
  checkNumbers(options, attempts);
  return {
    ...{ coordinator, reads, reference, spread, redundancy, replicasMax: attempts },
    pipeline: options.pipeline,
    constraints: {
      zones: options.zones === undefined ? null : [...options.zones],
      operators: options.operators === undefined ? null : [...options.operators],
      isCommercial: options.commercial ?? false,
      needsStrongSandbox: true,
      onShortfall: options.acceptOne === true ? ('run_once' as const) : ('wait' as const),
    },
    maxPriceMicroUsd: options.maxPrice ?? PRICE_MICRO_USD,
    durationMs: options.days * DAY_MS,
  };
}

function checkNumbers({ spread, redundancy, days, pipeline }: Options, attempts: number): void {
  const wrong = (message: string, hint: string) => new AppError('USAGE', message, { hint });
  if (pipeline !== PIPELINE) {
    const name = JSON.stringify(pipeline.slice(0, 64));
    throw wrong(`there is no pipeline ${name}`, `The network runs \`${PIPELINE}\`.`);
  }
  if (spread > SPREAD_MAX) {
    throw wrong('too many parts for one job', `Give --spread 1 to ${SPREAD_MAX}.`);
  }
  if (redundancy > REDUNDANCY_MAX) {
    throw wrong('too many operators for one job', `Give --redundancy 1 to ${REDUNDANCY_MAX}.`);
  }
  if (attempts < redundancy || attempts > ATTEMPTS_MAX) {
    const message = `${attempts} attempts for ${redundancy} operators`;
    throw wrong(message, `Give --attempts ${redundancy} to ${ATTEMPTS_MAX}.`);
  }
  if (days > DAYS_MAX) {
    throw wrong(`a job lasts ${DAYS_MAX} days at most`, `Give --days 1 to ${DAYS_MAX}.`);
  }
}

async function textOf({ isNew, record, view }: Submitted, hasWaited: boolean): Promise<string> {
  const { jobText } = await import('../analysis/network-job-text.ts');
  const { shortId } = await import('../find-dataset.ts');
  const known = isNew ? [] : ['The same was asked before: this is that job (--anew asks again).'];
  const next = hasWaited ? [] : [nextText(view, shortId(record.id))];
  return [...known, jobText(record, view, Date.now()), ...next]
    .filter((t) => t !== '')
    .join('\n\n');
}

function nextText({ state }: NetworkJobView, id: string): string {
  return state === 'QUEUED' || state === 'RUNNING' ? `  → biofs status ${id} --wait` : '';
}

function parseCount(text: string): number {
  if (/^[1-9][0-9]{0,2}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give a whole number from 1 on.');
}

/** `0.50` becomes millionths of a dollar. */
function parsePrice(text: string): string {
  const [, whole, part = ''] = /^(\d{1,6})(?:\.(\d{1,6}))?$/.exec(text) ?? [];
  if (whole === undefined) throw new InvalidArgumentError('Give US dollars, e.g. 0.50.');
  return String(Number(whole) * 1_000_000 + Number(part.padEnd(6, '0')));
}

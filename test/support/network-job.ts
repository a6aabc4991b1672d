/** One analysis on a network, as its requester asks for it and waits: by command lines. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { NETWORK_JOB_DEADLINE_MS } from './limits.ts';
import { run } from './network.ts';
import type { ProxiedNetwork } from './proxied-network.ts';
import { REFERENCE, type SealedSample } from './sealed-samples.ts';
import { waitFor } from './wait-for.ts';

export interface StartedJob {
  readonly jobId: string;
  readonly sample: SealedSample;
}

export interface JobState {
  readonly state: string;
  readonly tasks: readonly unknown[];
}

/** Asks until the coordinator, which may be dead, has taken it. */
export async function analyse(
  network: ProxiedNetwork,
  sample: SealedSample,
  { isAnew = false, spread = 1 }: { readonly isAnew?: boolean; readonly spread?: number } = {},
): Promise<StartedJob> {
  const terms = ['--reference', REFERENCE, '--max-price', '0.50', '--redundancy', '2'];
  const where = ['--coordinator', network.node('coordinator').address];
  const anew = isAnew ? ['--anew'] : [];
  const parts = spread === 1 ? [] : ['--spread', String(spread)];
  const asked = ['analyze', ...sample.datasets, ...terms, ...where, ...anew, ...parts];
  const { jobId } = await answered(network, asked, 'the job is taken');
  return { jobId, sample };
}

export async function waitUntilOver(network: ProxiedNetwork, { jobId }: StartedJob) {
  const view = await answered(network, ['status', jobId, '--wait'], `job ${jobId} is over`);
  return view as JobState;
}

export interface Fetched {
  readonly out: string;
  /** Names of the files that operators agreed on. */
  readonly agreed: readonly string[];
}

export async function fetchResult(
  network: ProxiedNetwork,
  { jobId, sample }: StartedJob,
): Promise<Fetched> {
  const out = join(network.folder, `result-${sample.name}-${jobId.slice(-12)}`);
  const asked = ['result', jobId, '--out', out];
  const { files } = await answered(network, asked, 'the result is fetched');
  const isAgreed = (file: { isAgreed: boolean }) => file.isAgreed;
  return { out, agreed: files.filter(isAgreed).map(({ path }: { path: string }) => path) };
}

/** What the death of a node, or another command of the same person, is a reason for. */
const RETRIED = /PEER_UNREACHABLE|CUSTODIAN_OFFLINE|DATA_IN_USE/;

/** Runs a command until it succeeds; nothing but what is `RETRIED` is a reason to run it again. */
async function answered(network: ProxiedNetwork, args: readonly string[], what: string) {
  const { dataDir } = network.node('owner');
  return waitFor(
    async () => {
      const { code, stdout, stderr } = await run('biofs', ['--json', ...args], { dataDir });
      const said = stdout.toString('utf8');
      if (code === 0) return JSON.parse(said);
      assert.match(said, RETRIED, `${args.join(' ')}\n${stderr}`);
      return undefined;
    },
    { deadline: NETWORK_JOB_DEADLINE_MS, what },
  );
}

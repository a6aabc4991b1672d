/** A job as a requester sends it: whose it is, and what shows that they may use the datasets. */
import { AppError, type Digest } from '@helixmesh/protocol';
import {
  type DatasetEvidence,
  fromBase64,
  type NetworkJobView,
  parseNetworkJob,
} from '@helixmesh/protocol/sealing';
import type { Database } from '../../sql/database.ts';
import { type SubmitOptions, submitNetworkJob, viewNetworkJob } from './submit.ts';

export interface SentJob {
  /** Base64 of the signed job. */
  readonly job: string;
  readonly evidence: readonly DatasetEvidence[];
}

export interface SentBy extends SubmitOptions {
  /** Whose session has sent it. */
  readonly account: string;
}

/** Takes it, once, and answers how it is. Throws what `submitNetworkJob` throws. */
export async function submitSent(
  database: Database,
  sent: SentJob,
  { account, ...options }: SentBy,
): Promise<NetworkJobView & { readonly jobId: Digest }> {
  const job = fromBase64(sent.job, 'a job');
  if (parseNetworkJob(job).document.requester !== account) {
    throw new AppError('ACCESS_REFUSED', 'the job is of another requester than the session', {
      hint: 'Submit it in a session of the wallet that has signed it.',
    });
  }
  const evidence = sent.evidence.map(({ manifest, grant }) => ({
    manifest: fromBase64(manifest, 'a manifest'),
    grant: grant === null ? null : fromBase64(grant, 'a grant'),
  }));
  const { jobId } = await submitNetworkJob(database, { job, evidence }, options);
  return viewNetworkJob(database, { jobId, requester: account });
}

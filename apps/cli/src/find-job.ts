/** A job by its id or by the name of its sample. */
import type { Client } from '@helixmesh/client';
import { AppError, JOB_ID_PATTERN, type JobView } from '@helixmesh/protocol';

/** The newest job of a sample, or the job of that id. */
export async function findJob(client: Client, sampleOrJob: string): Promise<JobView> {
  if (JOB_ID_PATTERN.test(sampleOrJob)) {
    return client.call('getJob', { params: { jobId: sampleOrJob } });
  }
  const [newest] = await client.call('listJobs', { params: {}, query: { sampleId: sampleOrJob } });
  if (newest === undefined) {
    throw new AppError('NOT_FOUND', `no job of a sample ${sampleOrJob}`, {
      hint: 'List the jobs with `helixmesh status`, those of a network with `biofs jobs`.',
    });
  }
  return client.call('getJob', { params: { jobId: newest.jobId } });
}

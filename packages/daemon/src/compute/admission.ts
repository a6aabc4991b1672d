/**
 * Whether this machine may do an attempt now. The coordinator has asked the same of what the node says
 * of itself; here the machine itself is looked at, for it can have changed since.
 */
import { statfs } from 'node:fs/promises';
import { AppError } from '@helixmesh/protocol';
import { fromBase64, parseNetworkJob } from '@helixmesh/protocol/sealing';
import type { SandboxStrengthReport } from '../executor/sandbox/strength.ts';
import { FREE_BYTES_MIN, SCRATCH_PER_READ_BYTE } from './limits.ts';

export interface Containment {
  /** How well tools are held in, measured now. */
  readonly strength: () => Promise<Pick<SandboxStrengthReport, 'strength' | 'mend'>>;
  /** The wallet that answers for this node: what is its own is not somebody else's. */
  readonly operator: string | null;
}

/**
 * Throws SANDBOX_WEAK where tools would not be held in as the data demands: data of others demands a
 * strong sandbox, one's own only where the job says so. `job` is base64 of a signed job.
 */
export async function assertContained(containment: Containment, job: string): Promise<void> {
  const { strength, mend } = await containment.strength();
  if (strength === 'strong') return;
  const { requester, datasets, constraints } = parseNetworkJob(fromBase64(job, 'a job')).document;
  const isOwn = requester === containment.operator && datasets.every(({ grant }) => grant === null);
  if (isOwn && !constraints.needsStrongSandbox) return;
  throw new AppError('SANDBOX_WEAK', `the sandbox of this node is ${strength}`, {
    hint: mend ?? 'See `helixmesh doctor`.',
  });
}

/** Throws DISK_FULL where the inputs and what is made of them do not fit. */
export async function assertRoom(
  folder: string,
  inputs: readonly { readonly sizeBytes?: number }[],
): Promise<void> {
  const readBytes = inputs.reduce((sum, { sizeBytes = 0 }) => sum + sizeBytes, 0);
  const neededBytes = readBytes * SCRATCH_PER_READ_BYTE;
  const freeBytes = await freeBytesOf(folder);
  if (freeBytes >= neededBytes) return;
  throw new AppError('DISK_FULL', `${freeBytes} bytes are free, some ${neededBytes} are needed`, {
    hint: 'Free disk space, or take less at once.',
  });
}

/** Whether there is room to begin anything; the folder need not be there yet. */
export async function hasRoom(folder: string): Promise<boolean> {
  return (await freeBytesOf(folder)) >= FREE_BYTES_MIN;
}

async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

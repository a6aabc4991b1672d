/** Telling a vault to fetch an object of one's own from the other vaults that have it. */

import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@connectrpc/connect';
import { AppError } from '@helixmesh/protocol';
import type { BioNfs } from '@helixmesh/protocol/bionfs';
import { RETRY_WAIT_MS, WRITE_TRIES_MAX } from '../limits.ts';

export interface ReplicateRequest {
  /** Canonical bytes of the signed manifest. */
  readonly manifest: Uint8Array;
  /** Canonical bytes of the owner's signed statement who their custodian is. */
  readonly custodian: Uint8Array;
}

/**
 * Ends when the vault has all of it; `known` where it had it before. A vault that restarts, or that
 * the owner's custodian has not reached yet, is asked again for some seconds: it goes on where it was.
 * Throws what the vault answers.
 */
export async function replicateObject(
  bionfs: Pick<Client<typeof BioNfs>, 'replicate'>,
  request: ReplicateRequest,
  {
    signal,
    onProgress,
  }: { readonly signal: AbortSignal; readonly onProgress?: (doneBytes: number) => void },
): Promise<'stored' | 'known'> {
  let best = -1;
  let isMore = false;
  for (let tries = 1; ; tries += 1) {
    try {
      for await (const { doneBytes, isStored } of bionfs.replicate(request, { signal })) {
        onProgress?.(Number(doneBytes));
        if (isStored) return isMore ? 'stored' : 'known';
        isMore = true;
        if (Number(doneBytes) > best) [tries, best] = [1, Number(doneBytes)];
      }
      throw brokenOff();
    } catch (error) {
      signal.throwIfAborted();
      const { code, retryable } = AppError.from(error);
      const canHelp = retryable && code !== 'DISK_FULL';
      if (tries >= WRITE_TRIES_MAX || !canHelp) throw error;
      await delay(RETRY_WAIT_MS * 2 ** (tries - 1), undefined, { signal });
    }
  }
}

function brokenOff(): AppError {
  return new AppError('PEER_UNREACHABLE', 'the vault has stopped before the copy was whole', {
    hint: 'Run the command again: it goes on where it was.',
  });
}

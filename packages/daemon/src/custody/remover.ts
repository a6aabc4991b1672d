/**
 * Has vaults remove the copies of shredded datasets: what was offline when the owner said so is told
 * when it is back. The owner's tombstone is what counts; the custodian only brings it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { openChannel } from '@helixmesh/client/network';
import { AppError, type Digest, type ErrorCode } from '@helixmesh/protocol';
import { formatNodeAddress } from '@helixmesh/protocol/sealing';
import type { NodeIdentity } from '../network/identity.ts';
import type { Logger } from '../node/logger.ts';
import type { Custody } from './custody.ts';
import { REMOVE_EVERY_MS, REMOVE_MS_MAX } from './limits.ts';
import type { Removal } from './tombstones.ts';

export interface RemoverOptions {
  readonly custody: Pick<Custody, 'listRemovals' | 'noteRemoved'>;
  readonly identity: NodeIdentity;
  readonly network: Digest;
  readonly now: () => number;
  readonly logger: Logger;
  /** Between two rounds, ms. */
  readonly everyMs?: number | undefined;
}

/** Answers of a vault that has no copy. */
const GONE: readonly ErrorCode[] = ['OBJECT_NOT_FOUND', 'OBJECT_REMOVED'];

/** Goes on until `signal` aborts. */
export async function keepRemoving(options: RemoverOptions, signal: AbortSignal): Promise<void> {
  const { everyMs = REMOVE_EVERY_MS } = options;
  while (!signal.aborted) {
    await removeAll(options, signal).catch((error) => {
      options.logger.warn({ code: AppError.from(error).code }, 'removals could not be read');
    });
    await delay(everyMs, undefined, { signal }).catch(() => undefined);
  }
}

async function removeAll(options: RemoverOptions, signal: AbortSignal): Promise<void> {
  const { custody, logger } = options;
  const away = new Set<string>();
  for (const removal of custody.listRemovals()) {
    const { dataset, vault } = removal;
    const name = formatNodeAddress(vault);
    if (signal.aborted) return;
    if (away.has(name)) continue;
    try {
      await remove(options, removal, signal);
      custody.noteRemoved(dataset, vault);
      logger.info({ vault: vault.nodeId }, 'a vault has removed a shredded dataset');
    } catch (error) {
      const { code } = AppError.from(error);
      if (GONE.includes(code)) custody.noteRemoved(dataset, vault);
      else away.add(name);
    }
  }
}

async function remove(
  { identity, network, now }: RemoverOptions,
  { dataset: objectId, vault: address, tombstone }: Removal,
  stopping: AbortSignal,
): Promise<void> {
  const signer = { secretKey: identity.signingKey.secretKey };
  const channel = openChannel({ address, network, now, signer, certificate: identity });
  try {
    const signal = AbortSignal.any([stopping, AbortSignal.timeout(REMOVE_MS_MAX)]);
    await channel.bionfs.remove({ objectId, tombstone }, { signal });
  } finally {
    channel.close();
  }
}

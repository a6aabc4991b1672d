/**
 * The compute role: a node proves itself by a canary, takes attempts at analyses of others, and lets
 * their requesters fetch the results.
 *
 *   <folder>/attempts/<attempt>   what it holds (`attempt-folder.ts`)
 *   <folder>/canary               a canary while it runs
 *
 * Takes nothing new while it is not admitted, drains, or lacks room; what it holds goes on.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openChannel } from '@helixmesh/client/network';
import type { Digest } from '@helixmesh/protocol';
import type { Crypto, NodeAddress } from '@helixmesh/protocol/sealing';
import type { CacheStats } from '@helixmesh/vault';
import { probeStrength } from '../executor/sandbox/strength.ts';
import type { NodeIdentity } from '../network/identity.ts';
import type { NetworkListener } from '../network/listener.ts';
import type { Application } from '../node/application.ts';
import type { Load } from '../node/jobs-application.ts';
import type { Logger } from '../node/logger.ts';
import { type Containment, hasRoom } from './admission.ts';
import { type BodyCache, openBodyCache } from './body-cache.ts';
import { runCanary } from './canary.ts';
import { createCanaryTaker } from './canary-taker.ts';
import { coordinatorWork } from './coordinator-work.ts';
import { wipeEnclosed } from './enclosed-analysis.ts';
import { handoverOpener } from './handover.ts';
import { FREE_BYTES_MIN } from './limits.ts';
import { serveResults } from './results.ts';
import { readsOpener } from './sealed-reads.ts';
import { attemptSlots } from './slots.ts';
import { createWorker } from './worker.ts';

export interface ComputeOptions {
  /** Its own; made when it is not there. */
  readonly folder: string;
  readonly identity: NodeIdentity;
  readonly network: Digest;
  readonly coordinator: NodeAddress;
  readonly listener: Pick<NetworkListener, 'service' | 'callerOf'>;
  /** The node's prepared references. */
  readonly referenceRoot: string;
  /** Cores that all tools together may use. */
  readonly cores: number;
  readonly limitsFactor: number;
  /** For bodies that were fetched, encrypted (`body-cache.ts`). */
  readonly cacheFolder: string;
  /** What they may take of the disk, to be read again; 0: none are kept. */
  readonly cacheBytes: number;
  /** The wallet that answers for this node. */
  readonly operator: string | null;
  /** Whether the coordinator was asked to place nothing new here. */
  readonly isDraining: () => boolean;
  readonly crypto: Crypto;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly logger: Logger;
  /** Other than this machine's, for tests of weak ones. */
  readonly strength?: Containment['strength'];
}

export interface Compute {
  readonly application: Application;
  /** Takes nothing new from now on. */
  drain(): void;
  /** What attempts of others take of the machine now. */
  load(): Load;
  /** Null while no fetched bodies are kept. */
  cacheStats(): CacheStats | null;
}

/** Adds the service of results to the listener at once. */
export function createCompute(options: ComputeOptions): Compute {
  const { folder, identity, network, coordinator, cores, limitsFactor, crypto, now } = options;
  const { logger, referenceRoot, operator, strength = probeStrength } = options;
  const root = join(folder, 'attempts');
  const canaryFolder = join(folder, 'canary');
  const slots = attemptSlots(cores);
  const config = { cores: Math.max(1, Math.floor(cores / slots)), limitsFactor };
  const { secretKey } = identity.signingKey;
  const signer = { secretKey };
  const channel = openChannel({ address: coordinator, network, signer, certificate: identity });
  let bodies: BodyCache | null = null;
  const stopping = new AbortController();
  let isEnding = false;
  let asking: Promise<void> = Promise.resolve();

  const canary = createCanaryTaker({
    ...{ channel, now, logger },
    analyse: (genome, signal) =>
      runCanary({ genome, crypto, network, folder: canaryFolder, config, signal }),
  });
  const mayTake = async () => {
    if (!canary.isAdmitted || isEnding || options.isDraining()) return false;
    await bodies?.makeWay(FREE_BYTES_MIN);
    return await hasRoom(folder);
  };
  const worker = createWorker({
    ...{ root, slots, crypto, network, logger, now },
    work: coordinatorWork({
      ...{ crypto, network, secretKey, channel, now, mayTake },
      nodeId: identity.nodeId,
    }),
    openReads: readsOpener({ crypto, network, identity, now, bodies: () => bodies }),
    openHandover: handoverOpener({ crypto, network, identity }),
    node: { referenceRoot, config },
    containment: { strength, operator },
    stater: { nodeId: identity.nodeId, secretKey, operator },
  });
  serveResults({ root, listener: options.listener, crypto, now });

  return {
    application: {
      name: 'compute',
      async start() {
        await mkdir(root, { recursive: true, mode: 0o700 });
        await wipeEnclosed(canaryFolder);
        bodies = await openedCache(options);
        await worker.start();
        asking = canary.run(stopping.signal);
      },
      async stop() {
        stopping.abort();
        await Promise.all([worker.stop(), asking]);
        channel.close();
      },
      health() {
        const standing = canary.health();
        return standing.status === 'ok' ? worker.health() : standing;
      },
    },
    drain() {
      isEnding = true;
    },
    load() {
      const busy = worker.running + (canary.isAtWork ? 1 : 0);
      return { attempts: worker.running, cores: Math.min(busy * config.cores, cores) };
    },
    cacheStats: () => bodies?.stats() ?? null,
  };
}

/** Where none are kept, those from before are deleted. */
async function openedCache(options: ComputeOptions): Promise<BodyCache | null> {
  const { cacheFolder: folder, cacheBytes: budgetBytes, crypto, now } = options;
  if (budgetBytes > 0) return await openBodyCache({ folder, budgetBytes, crypto, now });
  await rm(folder, { recursive: true, force: true });
  return null;
}

/**
 * Collection and scrubbing on a timer, one after the other. What a scrub has not found anywhere is
 * looked for again each time. A vault that stops ends them where they
 * are: nothing is half done at any point. When the last scrub ended is kept in a file, so that a vault
 * that is restarted often is scrubbed all the same.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { AppError, type Digest } from '@helixmesh/protocol';
import {
  type Blockstore,
  type Catalogue,
  collectGarbage,
  type RepairReport,
  type Replica,
  repairMissing,
  scrub,
} from '@helixmesh/vault';
import type { Logger } from '../node/logger.ts';
import { COLLECT_GRACE_MS, SCRUB_EVERY_MS, UPKEEP_EVERY_MS } from './limits.ts';

export interface UpkeepOptions {
  readonly catalogue: Catalogue;
  readonly blocks: Blockstore;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly logger: Logger;
  /** File with the time of the last scrub. */
  readonly scrubbedFile: string;
  /** Where blocks that are damaged or missing are fetched; default: nowhere. */
  readonly repair?: (signal: AbortSignal) => Repair;
  readonly everyMs?: number;
  readonly graceMs?: number;
  readonly scrubEveryMs?: number;
}

/** Held while blocks are fetched. */
export interface Repair extends Disposable {
  readonly replica: Replica;
  /** Tells those who have to know how the objects are now. */
  ended(report: RepairReport): Promise<void>;
}

export interface Upkeep {
  stop(): Promise<void>;
  /** Blocks that an object lacks and that nobody had when they were looked for. */
  lostBlocksOf(id: Digest): number;
  /** What the operator should look at; undefined for nothing. */
  readonly trouble: string | undefined;
}

/** Starts it; the first time is one interval away. */
export function startUpkeep(options: UpkeepOptions): Upkeep {
  const { catalogue, now, logger, scrubbedFile, graceMs = COLLECT_GRACE_MS } = options;
  const { everyMs = UPKEEP_EVERY_MS, scrubEveryMs = SCRUB_EVERY_MS } = options;
  const stopped = new AbortController();
  const blocks = untilStopped(options.blocks, stopped.signal);
  const troubles = new Map<string, string>();
  let running: Promise<void> | undefined;
  let lacking: RepairReport['lacking'] = new Map();

  async function collect(): Promise<string | undefined> {
    const outcome = await collectGarbage({ catalogue, blocks, now, graceMs });
    logger.info(outcome, 'collected');
    return outcome.status === 'refused' ? `nothing is collected: ${outcome.reason}` : undefined;
  }

  async function scrubAll(): Promise<string | undefined> {
    return await repairing(async (replicas) => {
      const report = await scrub({ catalogue, blocks, replicas });
      const { checkedBlocks, checkedBytes, damaged } = report;
      logger.info({ checkedBlocks, checkedBytes, damaged: damaged.length }, 'scrubbed');
      await writeFile(scrubbedFile, `${now()}\n`, { mode: 0o600 });
      return report;
    });
  }

  /** What was lost may be had again: a custodian or a vault was offline. */
  async function repairLost(): Promise<string | undefined> {
    return await repairing((replicas) => repairMissing({ catalogue, blocks, replicas }));
  }

  async function repairing(
    work: (replicas: readonly Replica[]) => Promise<RepairReport>,
  ): Promise<string | undefined> {
    using repair = options.repair?.(stopped.signal);
    const report = await work(repair === undefined ? [] : [repair.replica]);
    const { repaired, lost } = report;
    lacking = report.lacking;
    if (repaired.length > 0 || lost.length > 0) {
      logger.info({ repaired: repaired.length, lost: lost.length }, 'repaired');
    }
    await repair?.ended(report);
    return lost.length > 0 ? `${lost.length} blocks that objects need are lost` : undefined;
  }

  /** Does `work`, and remembers what is wrong until it is right. */
  async function attempt(name: string, work: () => Promise<string | undefined>): Promise<void> {
    const trouble = await work().catch((error) => AppError.from(error).code);
    if (stopped.signal.aborted) return;
    if (trouble === undefined) {
      troubles.delete(name);
      return;
    }
    troubles.set(name, trouble);
    logger.warn({ name, trouble }, 'the vault needs its operator');
  }

  async function work(): Promise<void> {
    await attempt('collect', collect);
    if (now() - (await scrubbedAtMs(scrubbedFile)) >= scrubEveryMs)
      await attempt('scrub', scrubAll);
    else if (lacking.size > 0) await attempt('scrub', repairLost);
  }

  const timer = setInterval(() => {
    // What takes longer than the interval is not begun twice.
    running ??= work().finally(() => {
      running = undefined;
    });
  }, everyMs).unref();
  return {
    async stop() {
      stopped.abort();
      clearInterval(timer);
      await running;
    },
    lostBlocksOf: (id) => lacking.get(id) ?? 0,
    get trouble() {
      return troubles.size === 0 ? undefined : [...troubles.values()].join('; ');
    },
  };
}

/** Zero when it never was, or nobody can tell. */
async function scrubbedAtMs(file: string): Promise<number> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const atMs = Number(text.trim());
  return Number.isSafeInteger(atMs) ? atMs : 0;
}

/** The same blocks, until a vault stops: then the next step of a walk over them fails. */
function untilStopped(blocks: Blockstore, signal: AbortSignal): Blockstore {
  const check = () => {
    if (!signal.aborted) return;
    throw new AppError('CANCELED', 'the vault stops', { hint: 'It goes on at the next start.' });
  };
  return {
    ...blocks,
    async get(cid) {
      check();
      return await blocks.get(cid);
    },
    async has(cid) {
      check();
      return await blocks.has(cid);
    },
    async *list() {
      for await (const facts of blocks.list()) {
        check();
        yield facts;
      }
    },
  };
}

/** Nodes of a network killed one after the other, at times and in an order that a seed decides. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ProxiedNode } from './proxied-network.ts';

export interface Kills {
  /** How often each node was killed, by its name. */
  readonly byName: Readonly<Record<string, number>>;
  readonly total: number;
}

export interface KillOptions {
  readonly seed: number;
  /** Kills at most. */
  readonly max: number;
  /** Longest wait between a start and the next kill, ms. */
  readonly pauseMsMax: number;
  /** True when no more is to be killed; looked at before each kill. */
  readonly isOver: () => boolean;
  readonly onKill?: (name: string, total: number) => void;
}

/** Each node is up again before the next one is killed. */
export async function killAtRandom(
  nodes: readonly ProxiedNode[],
  { seed, max, pauseMsMax, isOver, onKill }: KillOptions,
): Promise<Kills> {
  const random = randomOf(seed);
  const byName: Record<string, number> = {};
  let total = 0;
  while (total < max) {
    await delay(random() * pauseMsMax);
    if (isOver()) break;
    const victim = nodes[Math.floor(random() * nodes.length)];
    if (victim === undefined) break;
    await victim.kill();
    await victim.start();
    byName[victim.name] = (byName[victim.name] ?? 0) + 1;
    total += 1;
    onKill?.(victim.name, total);
  }
  return { byName, total };
}

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

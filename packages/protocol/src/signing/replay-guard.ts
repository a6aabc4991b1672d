/**
 * Remembers the signed requests of the last two minutes. Time comes with each call.
 *
 * Invariants
 * G1  An entry is forgotten only when its time has passed, never to make room: a full guard refuses.
 * G2  Time does not go back: after a jump ahead of the clock, requests are stale until it is reached.
 * G3  Requests from before the start are stale, for the guard cannot know which were accepted then.
 *
 * What it does not do: a request whose sender's clock was ahead, accepted before a restart, may pass
 * once more after it. What costs money carries a nonce of its own that SQL keeps.
 */
import { REPLAY_ENTRIES_MAX, REPLAY_ENTRIES_PER_KEY_MAX, REQUEST_WINDOW_MS } from '../limits.ts';

export interface ReplayEntry {
  /** Public key in hex. */
  readonly key: string;
  readonly nonce: string;
  readonly timeMs: number;
}

export interface ReplayGuard {
  /** True for a time that is not within 60 s of now, or from before the start. */
  isStale(timeMs: number, nowMs: number): boolean;
  /** Takes each entry once. `busy` when there is no room, for this key or at all. */
  admit(entry: ReplayEntry, nowMs: number): 'admitted' | 'replayed' | 'stale' | 'busy';
  /** Entries remembered. */
  readonly size: number;
}

export interface ReplayGuardOptions {
  readonly startedAtMs: number;
  readonly entriesMax?: number;
  readonly entriesPerKeyMax?: number;
}

/** Entries are dropped in groups of this many milliseconds of their time. */
const BUCKET_MS = 1_000;

export function makeReplayGuard(options: ReplayGuardOptions): ReplayGuard {
  const { startedAtMs, entriesMax = REPLAY_ENTRIES_MAX } = options;
  const perKeyMax = options.entriesPerKeyMax ?? REPLAY_ENTRIES_PER_KEY_MAX;
  /** Second of the request's time → key → nonces. */
  const buckets = new Map<number, Map<string, Set<string>>>();
  const countByKey = new Map<string, number>();
  let size = 0;
  let latestMs = startedAtMs;

  function count(key: string, change: number): void {
    size += change;
    const left = (countByKey.get(key) ?? 0) + change;
    if (left === 0) countByKey.delete(key);
    else countByKey.set(key, left);
  }

  function forgetPast(): void {
    for (const [second, keys] of buckets) {
      if ((second + 1) * BUCKET_MS + REQUEST_WINDOW_MS > latestMs) continue;
      for (const [key, nonces] of keys) count(key, -nonces.size);
      buckets.delete(second);
    }
  }

  function isStale(timeMs: number, nowMs: number): boolean {
    latestMs = Math.max(latestMs, nowMs);
    return !(Math.abs(timeMs - latestMs) <= REQUEST_WINDOW_MS && timeMs >= startedAtMs);
  }

  return {
    isStale,
    admit({ key, nonce, timeMs }, nowMs) {
      if (isStale(timeMs, nowMs)) return 'stale';
      forgetPast();
      const second = Math.floor(timeMs / BUCKET_MS);
      const keys = buckets.get(second) ?? new Map<string, Set<string>>();
      const nonces = keys.get(key) ?? new Set<string>();
      if (nonces.has(nonce)) return 'replayed';
      if (size >= entriesMax || (countByKey.get(key) ?? 0) >= perKeyMax) return 'busy';
      buckets.set(second, keys.set(key, nonces.add(nonce)));
      count(key, 1);
      return 'admitted';
    },
    get size() {
      return size;
    },
  };
}

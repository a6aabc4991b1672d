/**
 * Heartbeats: what a node reports every 30 s, whether it counts as there, and for how much of the
 * time it was. Times are the coordinator's clock at receipt; the caller passes them.
 */
import { parseDocument } from '@helixmesh/protocol/sealing';
import { z } from 'zod';
import { nodeIdSchema } from '../ids.ts';
import {
  CORES_MAX,
  DISK_MAX_BYTES,
  GPUS_MAX,
  HEARTBEAT_BYTES_MAX,
  MEMORY_MAX_BYTES,
  OFFLINE_AFTER_MS,
  SLOTS_MAX,
  VRAM_MAX_BYTES,
} from '../limits.ts';

export const heartbeatSchema = z.strictObject({
  v: z.literal(1),
  nodeId: nodeIdSchema,
  /** Higher in each heartbeat of the same node. */
  sequence: z.int().min(0),
  runningAttempts: z.int().min(0).max(SLOTS_MAX),
  isDraining: z.boolean(),
  /** Whole cores that no attempt holds. */
  freeCores: z.int().min(0).max(CORES_MAX),
  freeMemoryBytes: z.int().min(0).max(MEMORY_MAX_BYTES),
  freeDiskBytes: z.int().min(0).max(DISK_MAX_BYTES),
  /** In the order of the registration. */
  gpus: z
    .array(
      z.strictObject({
        freeVramBytes: z.int().min(0).max(VRAM_MAX_BYTES),
        utilizationPercent: z.int().min(0).max(100),
        /** True when an attempt holds it. */
        isHeld: z.boolean(),
      }),
    )
    .max(GPUS_MAX),
});
export type Heartbeat = z.infer<typeof heartbeatSchema>;

/** A heartbeat from its canonical bytes. Throws INPUT_MALFORMED. */
export function parseHeartbeat(bytes: Uint8Array): Heartbeat {
  return parseDocument(heartbeatSchema, bytes, {
    what: 'a heartbeat',
    maxBytes: HEARTBEAT_BYTES_MAX,
  });
}

export const LIVENESS = ['online', 'busy', 'draining', 'offline'] as const;
export type Liveness = (typeof LIVENESS)[number];

/** The last heartbeat, and when it came; null when none ever did. */
export interface LastHeartbeat {
  readonly atMs: number;
  readonly isDraining: boolean;
  readonly runningAttempts: number;
}

/** Liveness at `nowMs`. A heartbeat from the future counts as none: the clock was set back. */
export function livenessOf(
  last: LastHeartbeat | null,
  { slots, nowMs }: { readonly slots: number; readonly nowMs: number },
): Liveness {
  if (last === null || !isFresh(last.atMs, nowMs)) return 'offline';
  if (last.isDraining) return 'draining';
  return last.runningAttempts >= slots ? 'busy' : 'online';
}

function isFresh(atMs: number, nowMs: number): boolean {
  return atMs <= nowMs && nowMs - atMs < OFFLINE_AFTER_MS;
}

/** Time observed and time online since the first heartbeat. Registering again does not touch it. */
export interface Uptime {
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly onlineMs: number;
}

/**
 * The uptime after a heartbeat at `atMs`. The time since the one before counts as online when the
 * node was not offline in between; a heartbeat that is not later changes nothing.
 */
export function recordHeartbeat(uptime: Uptime | null, atMs: number): Uptime {
  if (uptime === null) return { firstAtMs: atMs, lastAtMs: atMs, onlineMs: 0 };
  const gapMs = atMs - uptime.lastAtMs;
  if (gapMs <= 0) return uptime;
  const onlineMs = uptime.onlineMs + (gapMs < OFFLINE_AFTER_MS ? gapMs : 0);
  return { ...uptime, lastAtMs: atMs, onlineMs };
}

/**
 * Share of the time online up to `nowMs`, in hundredths of a percent, rounded down. A node that was
 * never observed has all of it, as in the seed's contract: it has lost nothing yet.
 */
export function uptimeBps(uptime: Uptime | null, nowMs: number): number {
  if (uptime === null) return 10_000;
  const tailMs = Math.max(0, nowMs - uptime.lastAtMs);
  const observedMs = uptime.lastAtMs - uptime.firstAtMs + tailMs;
  if (observedMs <= 0) return 10_000;
  const onlineMs = uptime.onlineMs + (tailMs < OFFLINE_AFTER_MS ? tailMs : 0);
  return Math.floor((10_000 * onlineMs) / observedMs);
}

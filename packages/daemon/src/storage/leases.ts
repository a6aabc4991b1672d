/**
 * State ids: what a key has opened at this node, until when. Time comes with each call.
 *
 * Invariants
 * T1  A state id is 16 bytes that nobody can guess, and holds for the key that opened it alone.
 * T2  Unknown, expired, closed and somebody else's look the same from outside.
 */
import { AppError } from '@helixmesh/protocol';
import { type Crypto, toHex } from '@helixmesh/protocol/sealing';
import { LEASE_BYTES_MAX, LEASES_MAX, LEASES_PER_KEY_MAX } from './limits.ts';

const STATE_ID_BYTES = 16;

export interface LeaseOptions {
  readonly crypto: Crypto;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly leasesMax?: number;
  readonly perKeyMax?: number;
  readonly bytesMax?: number;
}

export interface NewLease<T> {
  /** Ed25519 key of the request. */
  readonly publicKey: Uint8Array;
  readonly value: T;
  /** It holds before this time. */
  readonly untilMs: number;
  /** What it keeps in memory. */
  readonly sizeBytes: number;
}

/** A state id and the key that uses it. */
export interface Holder {
  readonly stateId: Uint8Array;
  readonly publicKey: Uint8Array;
}

export interface Leases<T> {
  /** The state id. Throws BUSY. */
  open(lease: NewLease<T>): Uint8Array;
  /** Throws LEASE_EXPIRED unless it holds. */
  get(holder: Holder): T;
  /** Throws LEASE_EXPIRED unless it holds. */
  renew(holder: Holder, untilMs: number): void;
  /** Nothing happens to what does not hold. */
  close(holder: Holder): void;
  readonly size: number;
}

interface Entry<T> extends Omit<NewLease<T>, 'publicKey'> {
  readonly key: string;
}

export function makeLeases<T>(options: LeaseOptions): Leases<T> {
  const { crypto, now } = options;
  const { leasesMax = LEASES_MAX, perKeyMax = LEASES_PER_KEY_MAX } = options;
  const { bytesMax = LEASE_BYTES_MAX } = options;
  const entries = new Map<string, Entry<T>>();
  const countByKey = new Map<string, number>();
  let totalBytes = 0;

  function remove(id: string, { key, sizeBytes }: Entry<T>): void {
    entries.delete(id);
    totalBytes -= sizeBytes;
    const left = (countByKey.get(key) ?? 0) - 1;
    if (left > 0) countByKey.set(key, left);
    else countByKey.delete(key);
  }

  function find({ stateId, publicKey }: Holder): [string, Entry<T>] | undefined {
    const id = toHex(stateId);
    const entry = entries.get(id);
    if (entry === undefined || entry.key !== toHex(publicKey)) return undefined;
    if (now() < entry.untilMs) return [id, entry];
    remove(id, entry);
    return undefined;
  }

  function removeExpired(): void {
    for (const [id, entry] of entries) if (now() >= entry.untilMs) remove(id, entry);
  }

  const isFull = (key: string, sizeBytes: number) =>
    entries.size >= leasesMax ||
    (countByKey.get(key) ?? 0) >= perKeyMax ||
    totalBytes + sizeBytes > bytesMax;

  return {
    get size() {
      return entries.size;
    },
    open({ publicKey, value, untilMs, sizeBytes }) {
      const key = toHex(publicKey);
      if (isFull(key, sizeBytes)) removeExpired();
      if (isFull(key, sizeBytes)) throw tooManyLeases();
      const stateId = crypto.random(STATE_ID_BYTES);
      entries.set(toHex(stateId), { key, value, untilMs, sizeBytes });
      countByKey.set(key, (countByKey.get(key) ?? 0) + 1);
      totalBytes += sizeBytes;
      return stateId;
    },
    get(holder) {
      const found = find(holder);
      if (found === undefined) throw leaseExpired();
      return found[1].value;
    },
    renew(holder, untilMs) {
      const found = find(holder);
      if (found === undefined) throw leaseExpired();
      entries.set(found[0], { ...found[1], untilMs });
    },
    close(holder) {
      const found = find(holder);
      if (found !== undefined) remove(...found);
    },
  };
}

function leaseExpired(): AppError {
  return new AppError('LEASE_EXPIRED', 'the state id does not hold, or no longer', {
    hint: 'Open the object again.',
  });
}

function tooManyLeases(): AppError {
  return new AppError('BUSY', 'too much is open at this vault', {
    hint: 'Close what is not needed, or try again in a minute.',
  });
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HEARTBEAT_INTERVAL_MS, OFFLINE_AFTER_MS } from '../limits.ts';
import { livenessOf, recordHeartbeat, type Uptime, uptimeBps } from './heartbeat.ts';

const beat = { atMs: 1_000_000, isDraining: false, runningAttempts: 0 };

test('a node is offline from the third missed heartbeat on', () => {
  const at = (nowMs: number) => livenessOf(beat, { slots: 1, nowMs });
  assert.equal(at(beat.atMs), 'online');
  assert.equal(at(beat.atMs + OFFLINE_AFTER_MS - 1), 'online');
  assert.equal(at(beat.atMs + OFFLINE_AFTER_MS), 'offline');
});

test('a node never heard of, or heard from the future, is offline', () => {
  assert.equal(livenessOf(null, { slots: 1, nowMs: 0 }), 'offline');
  assert.equal(livenessOf(beat, { slots: 1, nowMs: beat.atMs - 1 }), 'offline');
});

test('a full node is busy; draining goes before busy, offline before both', () => {
  const full = { ...beat, runningAttempts: 2 };
  const draining = { ...full, isDraining: true };
  assert.equal(livenessOf(full, { slots: 3, nowMs: beat.atMs }), 'online');
  assert.equal(livenessOf(full, { slots: 2, nowMs: beat.atMs }), 'busy');
  assert.equal(livenessOf(draining, { slots: 2, nowMs: beat.atMs }), 'draining');
  assert.equal(livenessOf(draining, { slots: 2, nowMs: beat.atMs * 2 }), 'offline');
});

function uptimeAfter(beats: readonly number[]): Uptime | null {
  return beats.reduce<Uptime | null>(recordHeartbeat, null);
}

test('uptime counts the time between heartbeats that are close, and no silence', () => {
  assert.equal(uptimeBps(null, 5), 10_000);
  const steady = [0, 1, 2, 3, 4].map((n) => n * HEARTBEAT_INTERVAL_MS);
  assert.equal(uptimeBps(uptimeAfter(steady), 4 * HEARTBEAT_INTERVAL_MS), 10_000);
  const halfSilent = [0, OFFLINE_AFTER_MS - 1, 2 * (OFFLINE_AFTER_MS - 1) + 1];
  assert.equal(uptimeBps(uptimeAfter(halfSilent), 2 * (OFFLINE_AFTER_MS - 1) + 1), 4_999);
  assert.equal(uptimeBps(uptimeAfter([0]), OFFLINE_AFTER_MS), 0);
});

test('heartbeats that come twice or out of order do not change the uptime', () => {
  const gaps = fc.array(fc.integer({ min: 1, max: 2 * OFFLINE_AFTER_MS }), { maxLength: 20 });
  fc.assert(
    fc.property(gaps, fc.nat(), (steps, pick) => {
      const times = [0];
      for (const step of steps) times.push((times.at(-1) ?? 0) + step);
      const last = times.at(-1) ?? 0;
      const repeated = [...times, times[pick % times.length] ?? 0];
      assert.deepEqual(uptimeAfter(repeated), uptimeAfter(times));
      const bps = uptimeBps(uptimeAfter(times), last);
      assert.ok(Number.isInteger(bps) && bps >= 0 && bps <= 10_000);
    }),
  );
});

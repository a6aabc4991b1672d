import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { type LeaseOptions, makeLeases } from './leases.ts';
import { isError } from './testing/bench.ts';

const keyOf = (byte: number) => new Uint8Array(32).fill(byte);

function leasesOf(changes: Partial<LeaseOptions> = {}) {
  const clock = { nowMs: 1_000 };
  const options = { crypto: nodeCrypto, now: () => clock.nowMs, ...changes };
  const leases = makeLeases<string>(options);
  const open = (key: number, value = 'x', sizeBytes = 10, untilMs = 2_000) => {
    const publicKey = keyOf(key);
    return { stateId: leases.open({ publicKey, value, untilMs, sizeBytes }), publicKey };
  };
  return { leases, clock, open };
}

test('a state id holds for its key until its time, and longer when it is renewed', () => {
  const { leases, clock, open } = leasesOf();
  const holder = open(1, 'value');
  assert.equal(leases.get(holder), 'value');
  clock.nowMs = 1_999;
  leases.renew(holder, 3_000);
  clock.nowMs = 2_999;
  assert.equal(leases.get(holder), 'value');
  clock.nowMs = 3_000;
  assert.throws(() => leases.get(holder), isError('LEASE_EXPIRED'));
  assert.throws(() => leases.renew(holder, 9_000), isError('LEASE_EXPIRED'));
  assert.equal(leases.size, 0);
});

test('another key neither uses nor ends it', () => {
  const { leases, open } = leasesOf();
  const holder = open(1);
  const other = { ...holder, publicKey: keyOf(2) };
  assert.throws(() => leases.get(other), isError('LEASE_EXPIRED'));
  assert.throws(() => leases.renew(other, 9_000), isError('LEASE_EXPIRED'));
  leases.close(other);
  assert.equal(leases.get(holder), 'x');
  leases.close(holder);
  leases.close(holder);
  assert.throws(() => leases.get(holder), isError('LEASE_EXPIRED'));
});

test('what one key and all of them hold is bounded, and what expired makes room', () => {
  const { leases, clock, open } = leasesOf({ leasesMax: 3, perKeyMax: 2, bytesMax: 100 });
  const first = open(1);
  open(1);
  assert.throws(() => open(1), isError('BUSY'));
  open(2);
  assert.throws(() => open(3), isError('BUSY'));
  leases.close(first);
  assert.throws(() => open(3, 'x', 81), isError('BUSY'));
  open(3, 'x', 80);
  clock.nowMs = 2_000;
  open(1, 'x', 100, 9_000);
  assert.equal(leases.size, 1);
});

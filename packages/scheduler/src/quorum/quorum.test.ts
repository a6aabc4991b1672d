import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAttemptId, parseDigest } from '@helixmesh/protocol';
import fc from 'fast-check';
import { nodeIdOf, operatorOf } from '../testing/fleet.ts';
import { type Quorum, quorumOf, quorumPolicySchema, type Replica } from './quorum.ts';

const digest = (letter: string) => parseDigest(`sha256:${letter.repeat(64)}`);
const A = digest('a');
const B = digest('b');
const C = digest('c');

const PAIR = { redundancy: 2, replicasMax: 4 };

/** Replica `n` of operator `n`, which commits as number `n` and reveals as number 100 + `n`. */
function replica(n: number, change: Partial<Replica> = {}): Replica {
  return {
    attemptId: parseAttemptId(`att_${n.toString(16).padStart(16, '0')}`),
    nodeId: nodeIdOf(n),
    operator: operatorOf(n),
    round: 0,
    state: 'revealed',
    commitSequence: n,
    revealSequence: 100 + n,
    digest: A,
    ...change,
  };
}

const RUNNING: Partial<Replica> = {
  state: 'running',
  commitSequence: null,
  revealSequence: null,
  digest: null,
};
const COMMITTED: Partial<Replica> = { state: 'committed', revealSequence: null, digest: null };
const ENDED: Partial<Replica> = { ...RUNNING, state: 'ended' };

/** A replica added after `n − 1` others had revealed. */
function added(n: number, change: Partial<Replica> = {}): Replica {
  return replica(n, {
    round: n,
    commitSequence: 200 + 2 * n,
    revealSequence: 201 + 2 * n,
    ...change,
  });
}

function verdicts(quorum: Quorum): string {
  if (quorum.status !== 'agreed') return quorum.status;
  return quorum.verdicts.map(({ verdict }) => verdict).join(' ');
}

test('two operators with one digest agree, and both are right', () => {
  const quorum = quorumOf(PAIR, [replica(1), replica(2)]);
  assert.equal(quorum.status === 'agreed' && quorum.digest, A);
  assert.equal(quorum.status === 'agreed' && quorum.isChecked, true);
  assert.equal(verdicts(quorum), 'valid valid');
});

test('one replica agrees with itself and is said to be unchecked', () => {
  const quorum = quorumOf({ redundancy: 1, replicasMax: 1 }, [replica(1)]);
  assert.equal(quorum.status === 'agreed' && quorum.isChecked, false);
});

test('nothing is decided while a replica that can vote runs or has not revealed', () => {
  for (const open of [RUNNING, COMMITTED]) {
    const others = [replica(1, COMMITTED), replica(2, COMMITTED), replica(3, open)];
    assert.equal(quorumOf(PAIR, others).status, 'waiting');
  }
  assert.equal(quorumOf(PAIR, [replica(1), replica(2), replica(3, COMMITTED)]).status, 'waiting');
});

test('disagreement adds one replica at a time up to the cap, and gives no verdict', () => {
  const two = [replica(1), replica(2, { digest: B })];
  assert.deepEqual(quorumOf(PAIR, two), { status: 'add_replicas', count: 1 });
  const three = [...two, added(3, { digest: C })];
  assert.deepEqual(quorumOf(PAIR, three), { status: 'add_replicas', count: 1 });
  const four = [...three, added(4, { digest: digest('d') })];
  assert.deepEqual(quorumOf(PAIR, four), { status: 'no_consensus' });
  assert.equal(verdicts(quorumOf(PAIR, [...two, added(3)])), 'valid invalid valid');
});

test('two against two is no agreement', () => {
  const even = [replica(1), replica(2, { digest: B }), added(3), added(4, { digest: B })];
  const policy = { redundancy: 2, replicasMax: 5 };
  assert.deepEqual(quorumOf(policy, even), { status: 'add_replicas', count: 1 });
  assert.equal(
    verdicts(quorumOf(policy, [...even, added(5)])),
    'valid invalid valid invalid valid',
  );
});

test('a commit after the first reveal of its round has no weight', () => {
  const late = replica(2, { commitSequence: 102, revealSequence: 103 });
  assert.deepEqual(quorumOf(PAIR, [replica(1), late]), { status: 'add_replicas', count: 1 });
  const honest = [replica(1), replica(2), replica(3, { ...late, operator: operatorOf(3) })];
  assert.equal(verdicts(quorumOf(PAIR, honest)), 'valid valid none');
  const wrongAndLate = honest.with(2, { ...late, attemptId: replica(3).attemptId, digest: B });
  assert.equal(verdicts(quorumOf(PAIR, wrongAndLate)), 'valid valid none');
});

test('who still runs when the first of the round reveals is not waited for', () => {
  assert.equal(
    verdicts(quorumOf(PAIR, [replica(1), replica(2), replica(3, RUNNING)])),
    'valid valid none',
  );
});

test('one operator has one vote, that of its earliest commit', () => {
  const twin = replica(2, { operator: operatorOf(1) });
  assert.deepEqual(quorumOf(PAIR, [replica(1), twin]), { status: 'add_replicas', count: 1 });
  const withOther = [replica(1, { digest: B }), twin, replica(3)];
  assert.deepEqual(quorumOf(PAIR, withOther), { status: 'add_replicas', count: 1 });
});

test('a reveal that does not open its commit is wrong', () => {
  const quorum = quorumOf(PAIR, [replica(1), replica(2, { digest: null }), added(3)]);
  assert.equal(verdicts(quorum), 'valid invalid valid');
});

test('a replica that ended without a result is replaced and not judged', () => {
  const lost = [replica(1, ENDED), replica(2)];
  assert.deepEqual(quorumOf(PAIR, lost), { status: 'add_replicas', count: 1 });
  assert.equal(verdicts(quorumOf(PAIR, [...lost, added(3)])), 'none valid valid');
  assert.deepEqual(quorumOf(PAIR, []), { status: 'add_replicas', count: 2 });
  const all = [1, 2, 3, 4].map((n) => replica(n, ENDED));
  assert.deepEqual(quorumOf(PAIR, all), { status: 'no_consensus' });
});

test('policies without room for the redundancy are refused', () => {
  assert.ok(quorumPolicySchema.safeParse(PAIR).success);
  for (const bad of [
    { redundancy: 3, replicasMax: 2 },
    { redundancy: 0, replicasMax: 2 },
    { redundancy: 2, replicasMax: 16 },
  ]) {
    assert.equal(quorumPolicySchema.safeParse(bad).success, false);
  }
});

const anyReplica = fc.record({
  operator: fc.integer({ min: 1, max: 6 }).map(operatorOf),
  round: fc.nat({ max: 2 }),
  state: fc.constantFrom<Replica['state']>('running', 'committed', 'revealed', 'ended'),
  commitSequence: fc.nat({ max: 20 }),
  revealSequence: fc.nat({ max: 20 }),
  digest: fc.constantFrom(A, B, null),
});
const anyReplicas = fc.array(anyReplica, { maxLength: 8 }).map((all) =>
  all.map((each, n) => {
    const closed = { running: RUNNING, committed: COMMITTED, revealed: {}, ended: {} }[each.state];
    return replica(n, { ...each, ...closed });
  }),
);

test('a digest wins only with enough operators and more than half, in whatever order they stand', () => {
  fc.assert(
    fc.property(anyReplicas, fc.integer({ min: 1, max: 3 }), (replicas, redundancy) => {
      const policy = { redundancy, replicasMax: 8 };
      const quorum = quorumOf(policy, replicas);
      const reversed = quorumOf(policy, replicas.toReversed());
      assert.equal(reversed.status, quorum.status);
      if (quorum.status === 'add_replicas') {
        assert.ok(quorum.count >= 1 && quorum.count + replicas.length <= policy.replicasMax);
      }
      if (quorum.status !== 'agreed') return;
      assert.equal(reversed.status === 'agreed' && reversed.digest, quorum.digest);
      const valid = replicas.filter((_, n) => quorum.verdicts[n]?.verdict === 'valid');
      const invalid = replicas.filter((_, n) => quorum.verdicts[n]?.verdict === 'invalid');
      assert.ok(valid.every((each) => each.digest === quorum.digest));
      assert.ok(invalid.every((each) => each.digest !== quorum.digest));
      assert.equal(new Set(valid.map(({ operator }) => operator)).size, valid.length);
      assert.ok(valid.length >= Math.floor(redundancy / 2) + 1);
      assert.equal(quorum.isChecked, valid.length > 1);
    }),
    { numRuns: 1_000 },
  );
});

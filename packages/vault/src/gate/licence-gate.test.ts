import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '@helixmesh/protocol';
import {
  ENCRYPTED_SEGMENT_BYTES,
  type Grant,
  type HeadAttestation,
  type KnownHead,
  type Range,
} from '@helixmesh/protocol/sealing';
import * as fc from 'fast-check';
import { GRANTS_MAX, RANGES_MAX } from '../limits.ts';
import { network, owner, sealedObject, stranger } from '../testing/sealed-object.ts';
import {
  type GateReason,
  type GateRequest,
  licenceGate,
  mayLieIn,
  type VerifiedGrant,
} from './licence-gate.ts';

const NOW = 1_800_000_000_000;
const SEGMENT = ENCRYPTED_SEGMENT_BYTES;
const SEGMENTS = 10;
const sealed = await sealedObject(SEGMENTS * 65_536, {
  residency: ['EU', 'MX'],
  terms: { pipelines: ['annotate', 'germline'], commercialUse: false, zones: ['DE', 'MX'] },
});
const manifest = sealed.signed.document;
const object = { id: sealed.id, manifest };
const digest = (digit: string) => `sha256:${digit.repeat(64)}` as Digest;

function grantOf(changes: Partial<Grant> = {}, id = digest('a')): VerifiedGrant {
  const grant: Grant = {
    type: 'helixmesh/grant/v1',
    network,
    owner: owner.address,
    grantee: stranger.address,
    dataset: sealed.id,
    terms: { pipelines: null, commercialUse: true, zones: null },
    untilMs: null,
    regions: null,
    nonce: '0'.repeat(32),
    issuedAtMs: NOW - 1_000_000,
    ...changes,
  };
  return { id, grant };
}

const someRegion = [{ refName: 'chr1', start: 0, end: 10 }];

const known: KnownHead = {
  id: digest('1'),
  head: {
    type: 'helixmesh/revocation-head/v1',
    network,
    owner: owner.address,
    number: 1,
    previous: null,
    revoked: [digest('e')],
    custodian: '0'.repeat(64),
    issuedAtMs: NOW - 5_000_000,
  },
};

function attested(atMs = NOW - 10_000, changes: Partial<HeadAttestation> = {}) {
  const attestation: HeadAttestation = {
    type: 'helixmesh/head-attestation/v1',
    network,
    owner: owner.address,
    number: 1,
    head: known.id,
    atMs,
    ...changes,
  };
  return { known, attestation };
}

function request(changes: Partial<GateRequest> = {}): GateRequest {
  const user = stranger.address;
  return {
    object,
    use: { user, pipeline: 'germline', isCommercial: false, zone: 'MX-CMX', nowMs: NOW },
    ranges: [{ start: 0, end: 100 }],
    grants: [grantOf()],
    revocation: attested(),
    ...changes,
  };
}

function reasonsOf(changes: Partial<GateRequest>): readonly GateReason[] {
  const answer = licenceGate(request(changes));
  return answer.status === 'refused' ? answer.reasons : assert.fail('it was allowed');
}

test('a grant that holds, with a fresh head, allows what was asked for', () => {
  const ranges = [
    { start: 500, end: 600 },
    { start: 0, end: 100 },
    { start: 50, end: 200 },
  ];
  const expected = [
    { start: 0, end: 200 },
    { start: 500, end: 600 },
  ];
  const answer = licenceGate(request({ ranges }));
  const untilMs = NOW + 50_000;
  assert.deepEqual(answer, { status: 'allowed', ranges: expected, grants: [digest('a')], untilMs });
  const short = licenceGate(request({ grants: [grantOf({ untilMs: NOW + 7 })] }));
  assert.equal(short.status === 'allowed' && short.untilMs, NOW + 7);
});

test('without a grant, a head or an allowed range nothing is served', () => {
  assert.deepEqual(reasonsOf({ grants: [] }), [{ of: 'grants', reason: 'none' }]);
  const unknown = { of: 'head', reason: 'unknown' };
  assert.deepEqual(reasonsOf({ revocation: undefined }), [unknown]);
  assert.deepEqual(reasonsOf({ revocation: undefined, grants: [] }), [
    unknown,
    { of: 'grants', reason: 'none' },
  ]);
  const size = manifest.bodyBytes;
  for (const range of [
    { start: 5, end: 5 },
    { start: 6, end: 5 },
    { start: -1, end: 5 },
    { start: 0, end: size + 1 },
    { start: 0.5, end: 5 },
    { start: Number.NaN, end: 5 },
  ]) {
    const ranges = [{ start: 0, end: 1 }, range];
    assert.deepEqual(reasonsOf({ ranges }), [{ of: 'request', reason: 'ranges' }]);
  }
  assert.equal(reasonsOf({ ranges: [] }).length, 1);
  const many = Array<Range>(RANGES_MAX + 1).fill({ start: 0, end: 1 });
  assert.equal(reasonsOf({ ranges: many }).length, 1);
  const grants = Array<VerifiedGrant>(GRANTS_MAX + 1).fill(grantOf());
  assert.deepEqual(reasonsOf({ grants }), [{ of: 'request', reason: 'too_many_grants' }]);
});

test('a head holds for 60 s after its custodian attested it, for its owner and network alone', () => {
  assert.equal(licenceGate(request({ revocation: attested(NOW - 60_000) })).status, 'allowed');
  const stale = [{ of: 'head', reason: 'stale' }];
  assert.deepEqual(reasonsOf({ revocation: attested(NOW - 60_001) }), stale);
  assert.deepEqual(reasonsOf({ revocation: attested(NOW, { head: digest('2') }) }), stale);
  const foreign = { ...attested(), known: { ...known, head: { ...known.head, owner: 'x' } } };
  const reasons = reasonsOf({ revocation: foreign }).map(({ reason }) => reason);
  assert.deepEqual(reasons, ['owner', 'stale']);
  const elsewhere = [{ of: 'head', reason: 'network' }];
  assert.deepEqual(reasonsOf({ revocation: attested(NOW, { network: digest('9') }) }), elsewhere);
});

test('each thing that is wrong with a grant is named, all of them at once', () => {
  const of = 'grant';
  const wrong = [
    [grantOf({ dataset: digest('3') }), 'dataset'],
    [grantOf({ owner: stranger.address }), 'owner'],
    [grantOf({ grantee: owner.address }), 'grantee'],
    [grantOf({ network: digest('9') }), 'network'],
    [grantOf({ untilMs: NOW }), 'expired'],
    [grantOf({ issuedAtMs: NOW + 60_001 }), 'not_yet'],
    [grantOf({}, digest('e')), 'revoked'],
    [grantOf({ regions: someRegion }), 'segments_unknown'],
    [
      grantOf({ terms: { pipelines: ['annotate'], commercialUse: false, zones: null } }),
      'pipeline',
    ],
    [grantOf({ terms: { pipelines: null, commercialUse: false, zones: ['DE'] } }), 'zone'],
  ] as const;
  for (const [grant, reason] of wrong) {
    assert.deepEqual(reasonsOf({ grants: [grant] }), [{ of, grant: grant.id, reason }], reason);
    // Another one that holds makes good for it.
    const both = licenceGate(request({ grants: [grant, grantOf({}, digest('b'))] }));
    assert.deepEqual(both.status === 'allowed' && both.grants, [digest('b')], reason);
  }
  const all = reasonsOf({ grants: wrong.map(([grant]) => grant) });
  assert.deepEqual(
    all.map(({ reason }) => reason),
    wrong.map(([, reason]) => reason),
  );
});

test('no grant allows more than the terms and the residency of the object', () => {
  const { use } = request();
  const of = 'object';
  const asked = (changes: Partial<typeof use>) => reasonsOf({ use: { ...use, ...changes } });
  assert.deepEqual(asked({ pipeline: 'trio' }), [{ of, reason: 'pipeline' }]);
  assert.deepEqual(asked({ isCommercial: true }), [{ of, reason: 'commercial_use' }]);
  const both = [
    { of, reason: 'zone' },
    { of, reason: 'residency' },
  ];
  assert.deepEqual(asked({ zone: 'US-CA' }), both);
  // Lawful for copies, and not for this use.
  assert.deepEqual(asked({ zone: 'EU' }), [{ of, reason: 'zone' }]);
  assert.deepEqual(asked({ zone: 'DE' }), [{ of, reason: 'residency' }]);
});

test('a grant of regions allows their segments, and several grants allow them together', () => {
  const first = { ...grantOf({ regions: someRegion }), segments: [{ start: 2, end: 4 }] };
  const second = {
    ...grantOf({ regions: someRegion }, digest('b')),
    segments: [{ start: 4, end: 6 }],
  };
  const across = [{ start: 3 * SEGMENT, end: 5 * SEGMENT }];
  const refused = [{ of: 'grants', reason: 'ranges_not_granted' }];
  assert.deepEqual(reasonsOf({ ranges: across, grants: [first] }), refused);
  assert.deepEqual(reasonsOf({ ranges: across, grants: [second] }), refused);
  const answer = licenceGate(request({ ranges: across, grants: [first, second] }));
  assert.deepEqual(answer.status === 'allowed' && answer.grants, [digest('a'), digest('b')]);
  const edges = [
    { start: 2 * SEGMENT - 1, end: 3 * SEGMENT },
    { start: 2 * SEGMENT, end: 6 * SEGMENT + 1 },
  ];
  for (const range of edges) {
    assert.deepEqual(reasonsOf({ ranges: [range], grants: [first, second] }), refused);
  }
});

test('owners read what is theirs, within its bounds', () => {
  const use = { ...request().use, user: owner.address };
  const own = licenceGate(request({ use, grants: [], revocation: undefined }));
  assert.deepEqual(own.status === 'allowed' && own.grants, []);
  assert.equal(licenceGate(request({ use, ranges: [] })).status, 'refused');
});

test('whatever is asked with whatever grants, only granted bytes are served', () => {
  const segments = fc
    .array(fc.tuple(fc.nat(SEGMENTS), fc.nat(SEGMENTS)), { maxLength: 3 })
    .map((pairs) => pairs.map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) })));
  const grants = fc.array(
    fc.record({
      segments: fc.option(segments, { nil: undefined }),
      hasRegions: fc.boolean(),
      isExpired: fc.boolean(),
      isRevoked: fc.boolean(),
    }),
    { maxLength: 4 },
  );
  const size = manifest.bodyBytes;
  const ranges = fc
    .array(fc.tuple(fc.nat(size), fc.nat(size)), { maxLength: 3 })
    .map((pairs) => pairs.map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) })));
  const ageMs = fc.integer({ min: -10_000, max: 80_000 });
  let allowed = 0;
  fc.assert(
    fc.property(grants, ranges, ageMs, (drawn, wanted, age) => {
      const given = drawn.map(({ segments: served, hasRegions, isExpired, isRevoked }, i) => {
        const regions = hasRegions ? someRegion : null;
        const untilMs = isExpired ? NOW - 1 : null;
        const grant = grantOf({ regions, untilMs }, digest(isRevoked ? 'e' : `${i}`));
        return served === undefined ? grant : { ...grant, segments: served };
      });
      const revocation = attested(NOW - age);
      const answer = licenceGate(request({ ranges: wanted, grants: given, revocation }));
      const isServed = (segment: number) =>
        drawn.some(
          (each) =>
            !each.isExpired &&
            !each.isRevoked &&
            (!each.hasRegions ||
              each.segments?.some(({ start, end }) => start <= segment && segment < end)),
        );
      const isEvery = wanted.every(({ start, end }) => {
        for (let at = Math.floor(start / SEGMENT); at * SEGMENT < end; at += 1) {
          if (!isServed(at)) return false;
        }
        return start < end;
      });
      const expected = isEvery && wanted.length > 0 && age <= 60_000;
      assert.equal(answer.status, expected ? 'allowed' : 'refused');
      if (answer.status === 'refused') assert.ok(answer.reasons.length > 0);
      else allowed += 1;
    }),
    { numRuns: 500 },
  );
  assert.ok(allowed > 10, `${allowed} allowed`);
});

test('copies lie where the residency allows it, a part of a zone included', () => {
  const free = { ...manifest, residency: null };
  const zones = ['EU', 'MX', 'MX-CMX', 'MXX', 'US', undefined];
  assert.deepEqual(
    zones.map((zone) => mayLieIn(manifest, zone)),
    [true, true, true, false, false, false],
  );
  assert.ok(zones.every((zone) => mayLieIn(free, zone)));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { vectorText } from '../testing/bytes.ts';
import { type DatasetUse, type Grant, grantRefusals, grantSchema } from './grant.ts';

const { grant } = JSON.parse(vectorText('documents.json')) as { grant: { document: Grant } };
const { document } = grant;
const use: DatasetUse = {
  dataset: document.dataset,
  owner: document.owner,
  user: document.grantee,
  pipeline: 'germline',
  isCommercial: false,
  zone: 'MX',
  nowMs: document.issuedAtMs + 1000,
};

test('a grant allows what it says', () => {
  assert.deepEqual(grantRefusals(document, use), []);
  assert.deepEqual(grantRefusals(document, { ...use, zone: 'MX-JAL' }), []);
  const wide = { ...document, untilMs: null, terms: { ...document.terms, pipelines: null } };
  const later = { ...use, pipeline: 'trio', nowMs: 4_000_000_000_000 };
  assert.deepEqual(grantRefusals(wide, later), []);
});

test('a grant allows nothing else, and says each reason', () => {
  const refused: readonly (readonly [Partial<DatasetUse>, string])[] = [
    [{ dataset: document.network }, 'dataset'],
    [{ owner: document.grantee }, 'owner'],
    [{ user: document.owner }, 'grantee'],
    [{ nowMs: document.issuedAtMs - 60_001 }, 'not_yet'],
    [{ nowMs: document.untilMs ?? 0 }, 'expired'],
    [{ pipeline: 'trio' }, 'pipeline'],
    [{ isCommercial: true }, 'commercial_use'],
    [{ zone: 'US-CA' }, 'zone'],
    [{ zone: 'MXX' }, 'zone'],
  ];
  for (const [change, reason] of refused) {
    assert.deepEqual(grantRefusals(document, { ...use, ...change }), [reason]);
  }
  assert.equal(grantRefusals(document, { ...use, zone: 'US', pipeline: 'trio' }).length, 2);
});

test('grants with empty or backward regions, unsorted lists or unknown fields are refused', () => {
  const terms = document.terms;
  const wrong = [
    { regions: [] },
    { regions: [{ refName: 'chr1', start: 5, end: 5 }] },
    { regions: [{ refName: 'chr1', start: -1, end: 5 }] },
    { regions: [{ refName: 'chr 1', start: 1, end: 5 }] },
    { regions: [{ refName: '*', start: 1, end: 5 }] },
    { terms: { ...terms, zones: ['MX', 'EU'] } },
    { terms: { ...terms, pipelines: [] } },
    { terms: { ...terms, anything: true } },
    { anything: true },
    { untilMs: 1.5 },
    { nonce: 'short' },
  ];
  for (const change of wrong) {
    const { success } = grantSchema.safeParse({ ...document, ...change });
    assert.equal(success, false, JSON.stringify(change));
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  encodeDocument,
  type Grant,
  type Manifest,
  type NetworkJob,
} from '@helixmesh/protocol/sealing';
import { network, sealedDataset, signedGrant, walletNamed } from '../../testing/sealed-dataset.ts';
import { verifyEvidence } from './evidence.ts';
import { NOW_MS, signedJob, workerOf } from './testing/task-bench.ts';
import { zoneFor } from './zone-of.ts';

const owner = walletNamed('owner');
const requester = walletNamed('requester');
const OPEN = { pipelines: null, commercialUse: true, zones: null };
const coordinator = workerOf(1);
const PLACE = `${coordinator.nodeId}@127.0.0.1:7401`;

interface Change {
  readonly manifest?: Partial<Manifest>;
  readonly grant?: Partial<Grant>;
  readonly job?: Partial<NetworkJob>;
}

/** A job on one dataset that its owner has granted to the requester, and what shows it. */
async function shown(change: Change = {}) {
  const dataset = await sealedDataset(owner, new Uint8Array(32).fill(9), {
    changes: change.manifest ?? {},
  });
  const named = { dataset: dataset.id, grantee: requester.address };
  const grant = await signedGrant(owner, { ...named, ...change.grant });
  const { nodeId, secretKey } = coordinator;
  const keeper = { crypto: nodeCrypto, network, coordinator: nodeId, secretKey };
  const datasets = [{ dataset: dataset.id, grant: grant.id, custodian: PLACE, vaults: [PLACE] }];
  const job = await signedJob({ keeper, requester }, { datasets, ...change.job });
  const papers = [
    { manifest: encodeDocument(dataset.manifest), grant: encodeDocument(grant.signed) },
  ];
  const evidence = [{ manifest: dataset.manifest, grant: grant.signed }];
  return { job: job.document, papers, evidence };
}

async function refusalOf(change: Change): Promise<string> {
  const { job, papers } = await shown(change);
  try {
    verifyEvidence(nodeCrypto, job, papers, NOW_MS);
  } catch (error) {
    assert.ok(error instanceof AppError && error.code === 'ACCESS_REFUSED');
    return error.message.replace(/^.* is not granted: /, '');
  }
  return 'none';
}

test('a use that no node could make lawful is refused at once, with every reason', async () => {
  const { job, papers } = await shown();
  assert.equal(verifyEvidence(nodeCrypto, job, papers, NOW_MS).length, 1);
  const constraints = { ...job.constraints, isCommercial: true };
  const regions = [{ refName: 'chr1', start: 0, end: 10 }];
  const cases: readonly (readonly [Change, string])[] = [
    [{ grant: { terms: { ...OPEN, pipelines: ['annotate'] } } }, 'pipeline'],
    [{ manifest: { terms: { ...OPEN, pipelines: ['annotate'] } } }, 'pipeline'],
    [
      { grant: { terms: { ...OPEN, commercialUse: false } }, job: { constraints } },
      'commercial_use',
    ],
    [
      { manifest: { terms: { ...OPEN, commercialUse: false } }, job: { constraints } },
      'commercial_use',
    ],
    [{ grant: { untilMs: NOW_MS } }, 'expired'],
    [{ grant: { grantee: owner.address } }, 'grantee'],
    [{ grant: { dataset: network } }, 'dataset'],
    [{ grant: { regions } }, 'regions'],
    [{ grant: { regions, untilMs: NOW_MS } }, 'expired, regions'],
    // Where it may happen is judged for each node.
    [{ grant: { terms: { ...OPEN, zones: ['MX'] } } }, 'none'],
  ];
  for (const [change, expected] of cases) assert.equal(await refusalOf(change), expected);
});

test('custodians are told the zone that job and data ask for, and else the most exact one', async () => {
  const zones = ['DE', 'EU'];
  const told = async (change: Change) => {
    const { job, evidence } = await shown(change);
    return zoneFor(zones, job, evidence);
  };
  assert.equal(await told({}), 'DE');
  assert.equal(await told({ manifest: { residency: ['EU'] } }), 'EU');
  assert.equal(await told({ grant: { terms: { ...OPEN, zones: ['EU', 'US'] } } }), 'EU');
  assert.equal(await told({ grant: { terms: { ...OPEN, zones: ['DE'] } } }), 'DE');
  const apart = { manifest: { residency: ['EU'] }, grant: { terms: { ...OPEN, zones: ['DE'] } } };
  assert.equal(await told(apart), 'DE', 'no single zone is in both: a custodian refuses');
  const { job, evidence } = await shown({ manifest: { residency: ['US'] } });
  assert.equal(zoneFor(['US', 'US-CA'], job, evidence), 'US-CA', 'a part of what is asked for');
  assert.equal(zoneFor([], job, evidence), null);
});

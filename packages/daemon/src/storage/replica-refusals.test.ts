/** Who may not have a copy made, and where none is made. Each refusal over TLS. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  encodeDocument,
  fromBase64,
  REPLICA_PERMIT_TYPE,
  type ReplicaPermit,
  signWithKey,
} from '@helixmesh/protocol/sealing';
import type { ZoneStatement } from '@helixmesh/scheduler';
import { nodeChannelOf, testAccount, testIdentity } from '../network/testing/test-node.ts';
import {
  network,
  signedCustodian,
  signedTombstone,
  walletNamed,
} from '../testing/sealed-dataset.ts';
import {
  blockFiles,
  type Dataset,
  eventually,
  type Owner,
  startOwner,
  type Vault,
  vaultOf,
} from './testing/replica-bench.ts';

const HOUR_MS = 3_600_000;

async function assertRefused(
  asking: Promise<unknown>,
  { code, message, at }: { code: string; message: RegExp; at?: Vault },
): Promise<void> {
  await assert.rejects(asking, { code, message });
  if (at !== undefined) assert.deepEqual(await blockFiles(at), [], 'nothing came in');
}

async function drained(answers: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of answers);
}

test('somebody else than the owner has no copy made', async (t) => {
  const [source, target] = [await vaultOf(t), await vaultOf(t)];
  const alice = await startOwner(t);
  const dataset = await alice.dataset([source]);
  const mallory = alice.bionfs(target, await testAccount());
  const asking = drained(mallory.replicate(alice.messageOf(dataset)));
  await assertRefused(asking, { code: 'ACCESS_REFUSED', message: /another owner/, at: target });
});

test('a session that may only read has no copy made', async (t) => {
  const target = await vaultOf(t);
  const alice = await startOwner(t);
  const dataset = await alice.dataset([]);
  const reader = alice.bionfs(target, await testAccount(['read', 'list']));
  const asking = drained(reader.replicate(alice.messageOf(dataset)));
  await assertRefused(asking, { code: 'ACCESS_REFUSED', message: /scope put/ });
});

test('a node has no copy made, with whatever key', async (t) => {
  const target = await vaultOf(t);
  const alice = await startOwner(t);
  const dataset = await alice.dataset([]);
  const node = nodeChannelOf(t, target.address, testIdentity()).bionfs;
  const asking = drained(node.replicate(alice.messageOf(dataset)));
  await assertRefused(asking, { code: 'UNAUTHENTICATED', message: /for an account/ });
});

test('the vault takes no copy where the owner does not let copies lie', async (t) => {
  const [source, target] = [await vaultOf(t), await vaultOf(t, { zone: 'US' })];
  const alice = await startOwner(t);
  const dataset = await alice.dataset([source], ['MX']);
  const asking = alice.replicate(dataset, target);
  await assertRefused(asking, { code: 'ACCESS_REFUSED', message: /copies lie/, at: target });
});

const UNVOUCHED: Readonly<Record<string, Partial<ZoneStatement> | null>> = {
  'nobody has signed for': null,
  'an operator has signed other zones for': { zones: ['US'] },
  'an operator has signed for until yesterday': { untilMs: Date.now() - 24 * HOUR_MS },
  'an operator has signed another node in the place of': { nodeId: testIdentity().nodeId },
  'an operator of another network has signed for': { network: `sha256:${'1'.repeat(64)}` as never },
};

for (const [what, statement] of Object.entries(UNVOUCHED)) {
  test(`the custodian permits no copy at a vault that ${what}`, async (t) => {
    // It says itself that it is in Mexico.
    const [source, target] = [await vaultOf(t), await vaultOf(t, {}, statement)];
    const alice = await startOwner(t);
    const dataset = await alice.dataset([source], ['MX']);
    const asking = alice.replicate(dataset, target);
    const message = /no operator has signed/;
    await assertRefused(asking, { code: 'ACCESS_REFUSED', message, at: target });
    assert.equal(alice.stateOf(dataset, target), 'named');
    alice.custody.forgetReplica(dataset.id, target.address);
    assert.equal(alice.stateOf(dataset, target), undefined);
  });
}

test('the custodian takes the word of no operator whom the network does not vouch for', async (t) => {
  const source = await vaultOf(t);
  const operator = walletNamed('nobody');
  const target = await vaultOf(t, {}, { operator: operator.address as never });
  const alice = await startOwner(t);
  const dataset = await alice.dataset([source], ['MX']);
  const message = /no operator has signed/;
  await assertRefused(alice.replicate(dataset, target), { code: 'ACCESS_REFUSED', message });
});

test('the custodian permits nothing to a vault that the owner has not named', async (t) => {
  const [source, target] = [await vaultOf(t), await vaultOf(t)];
  const alice = await startOwner(t);
  const dataset = await alice.dataset([source]);
  const asking = drained(alice.bionfs(target).replicate(alice.messageOf(dataset)));
  const message = /no copy of that object/;
  await assertRefused(asking, { code: 'OBJECT_NOT_FOUND', message, at: target });
});

test('a shredded dataset is copied no more', async (t) => {
  const [source, target] = [await vaultOf(t), await vaultOf(t)];
  const alice = await startOwner(t);
  const dataset = await alice.dataset([source]);
  alice.custody.nameReplica(dataset.id, target.address);
  alice.custody.shred(dataset.id);
  const asking = drained(alice.bionfs(target).replicate(alice.messageOf(dataset)));
  const message = /no copy of that object/;
  await assertRefused(asking, { code: 'OBJECT_NOT_FOUND', message, at: target });
});

test('a statement of a custodian that the owner has not signed is not followed', async (t) => {
  const target = await vaultOf(t);
  const alice = await startOwner(t);
  const dataset = await alice.dataset([]);
  const mallory = walletNamed('mallory');
  for (const owner of [mallory.address, alice.account.wallet.address]) {
    const custodian = encodeDocument(await signedCustodian(mallory, { owner }));
    const { manifest } = alice.messageOf(dataset);
    const asking = drained(alice.bionfs(target).replicate({ manifest, custodian }));
    await assertRefused(asking, { code: 'ACCESS_REFUSED', message: /who their custodian is/ });
  }
});

test('without the custodian there is no copy', async (t) => {
  const [source, target] = [await vaultOf(t), await vaultOf(t)];
  const alice = await startOwner(t);
  const dataset = await alice.dataset([source]);
  alice.custody.nameReplica(dataset.id, target.address);
  await alice.goOffline();
  const asking = drained(alice.bionfs(target).replicate(alice.messageOf(dataset)));
  await assertRefused(asking, { code: 'CUSTODIAN_OFFLINE', message: /does not answer/ });
});

test('no copy is made of what no other vault has, beyond a quota, or of what was removed', async (t) => {
  const [source, target] = [await vaultOf(t), await vaultOf(t)];
  const alice = await startOwner(t);
  const dataset = await alice.dataset([source]);
  const lonely = await vaultOf(t, { quotaOf: () => ({ bytes: 1_000, objects: 1 }) });
  const message = /larger than what is left/;
  await assertRefused(alice.replicate(dataset, lonely), { code: 'QUOTA_EXCEEDED', message });
  await alice.replicate(dataset, target);
  const { id: objectId } = dataset;
  const tombstone = encodeDocument(await signedTombstone(alice.account.wallet, objectId));
  for (const vault of [source, target]) await alice.bionfs(vault).remove({ objectId, tombstone });
  const removed = /removed here/;
  await assertRefused(alice.replicate(dataset, target), {
    code: 'OBJECT_REMOVED',
    message: removed,
  });
  const third = await vaultOf(t);
  const none = /no such object here/;
  await assertRefused(alice.replicate(dataset, third), { code: 'OBJECT_NOT_FOUND', message: none });
});

/** What a vault with `permit` is told by one that has the object. */
async function opened(
  { source, thief }: { source: Vault; thief: ReturnType<typeof testIdentity> },
  open: (bionfs: ReturnType<typeof nodeChannelOf>['bionfs']) => Promise<unknown>,
  t: Parameters<typeof nodeChannelOf>[0],
): Promise<unknown> {
  return await open(nodeChannelOf(t, source.address, thief).bionfs);
}

interface Permitted {
  readonly alice: Owner;
  readonly dataset: Dataset;
  readonly nodeId: ReplicaPermit['node'];
}

function permitOf(
  { alice, dataset, nodeId }: Permitted,
  changes: Partial<ReplicaPermit> = {},
  key = alice.identity.signingKey.secretKey,
): Uint8Array {
  const issuedAtMs = Date.now();
  return encodeDocument(
    signWithKey(nodeCrypto, key, {
      type: REPLICA_PERMIT_TYPE,
      network,
      owner: alice.account.wallet.address,
      object: dataset.id,
      node: nodeId,
      zones: ['MX'],
      issuedAtMs,
      untilMs: issuedAtMs + HOUR_MS,
      ...changes,
    } as const),
  );
}

test('a vault gives a copy to who holds the permit of the custodian, and to nobody else', async (t) => {
  const skew = { ms: 0 };
  const source = await vaultOf(t, { now: () => Date.now() + skew.ms });
  const alice = await startOwner(t);
  const dataset = await alice.dataset([source], ['MX']);
  const thief = testIdentity();
  const permitted = { alice, dataset, nodeId: thief.nodeId };
  const open = (replicaPermit: Uint8Array, objectId: string = dataset.id) =>
    opened({ source, thief }, (bionfs) => bionfs.open({ objectId, replicaPermit }), t);
  await eventually(() => open(permitOf(permitted)));

  const refused = { code: 'ACCESS_REFUSED', message: /permit does not let/ };
  const past = Date.now() - 2 * HOUR_MS;
  const not: Readonly<Record<string, Uint8Array>> = {
    'of another vault': permitOf(permitted, { node: testIdentity().nodeId }),
    'for another object': permitOf(permitted, { object: network }),
    'that has ended': permitOf(permitted, { issuedAtMs: past, untilMs: past + HOUR_MS }),
    'that has not begun': permitOf(permitted, {
      issuedAtMs: Date.now() + HOUR_MS,
      untilMs: Date.now() + 2 * HOUR_MS,
    }),
    'that the vault has signed itself': permitOf(permitted, {}, thief.signingKey.secretKey),
    'of another network': permitOf(permitted, { network: `sha256:${'1'.repeat(64)}` as never }),
  };
  for (const [what, permit] of Object.entries(not)) {
    await assert.rejects(open(permit), refused, `a permit ${what}`);
  }
  // Where copies may lie is looked at here too, whatever the custodian has signed.
  for (const zones of [[], ['US']]) {
    const abroad = { code: 'ACCESS_REFUSED', message: /where copies may lie/ };
    await assert.rejects(open(permitOf(permitted, { zones })), abroad);
  }
  const unknown = network;
  const nothing = permitOf(permitted, { object: unknown });
  await assert.rejects(open(nothing, unknown), { code: 'OBJECT_NOT_FOUND' });
  skew.ms = 61_000;
  await assert.rejects(open(permitOf(permitted)), { code: 'CUSTODIAN_OFFLINE' });
});

test('a permit lets nobody put, remove or list, and an account cannot use it', async (t) => {
  const source = await vaultOf(t);
  const alice = await startOwner(t);
  const dataset = await alice.dataset([source]);
  const thief = testIdentity();
  const replicaPermit = permitOf({ alice, dataset, nodeId: thief.nodeId });
  const node = nodeChannelOf(t, source.address, thief).bionfs;
  await eventually(() => node.open({ objectId: dataset.id, replicaPermit }));
  const { objectId } = { objectId: dataset.id };
  const own = encodeDocument(await signedTombstone(walletNamed('mallory'), objectId));
  await assert.rejects(node.remove({ objectId, tombstone: own }), { code: 'OBJECT_NOT_FOUND' });
  await assert.rejects(node.stat({ objectId }), { code: 'UNAUTHENTICATED' });
  const account = alice.bionfs(source, await testAccount());
  await assert.rejects(account.open({ objectId, replicaPermit }), { code: 'OBJECT_NOT_FOUND' });
});

test('what a custodian answers a vault names other vaults, and no key', async (t) => {
  const [source, target] = [await vaultOf(t), await vaultOf(t)];
  const alice = await startOwner(t);
  const dataset = await alice.dataset([source]);
  alice.custody.nameReplica(dataset.id, target.address);
  const custodian = alice.custody.custodianOf(alice.account.wallet.address) ?? assert.fail();
  const { nodeId, endpoint } = custodian.document;
  const channel = nodeChannelOf(t, { nodeId, ...endpoint }, target.identity);
  const body = { object: dataset.id, state: 'coming', zoneStatement: null } as const;
  const { vaults, permit } = await channel.call('announceReplica', { params: {}, body });
  assert.deepEqual(vaults.length, 1);
  assert.ok(vaults[0]?.startsWith(source.identity.nodeId));
  const said = Buffer.from(fromBase64(permit, 'a permit')).toString('utf8');
  assert.match(said, /"zones":\[\]/);
  const other = { ...body, object: `sha256:${'1'.repeat(64)}` as never };
  const asked = channel.call('announceReplica', { params: {}, body: other });
  await assert.rejects(asked, { code: 'OBJECT_NOT_FOUND' });
});

/** A custodian and a real vault, over TLS: what the one releases the other serves. */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  bodyRange,
  decryptBody,
  encodeDocument,
  fromBase64,
  GROUP_SEGMENTS,
  joinBytes,
  openHeader,
  openWithAny,
  parseNodeAddress,
  type Range,
  SEGMENT_BYTES,
  toBase64,
  toHex,
} from '@helixmesh/protocol/sealing';
import { pino } from 'pino';
import type { NetworkListener } from '../network/listener.ts';
import {
  channelOf,
  startTestNode,
  testAccount,
  testIdentity,
} from '../network/testing/test-node.ts';
import { bodyCid, putBody, startVault } from '../testing/running-vault.ts';
import {
  encryptionKeyOf,
  network,
  sealedDataset,
  signedCustodian,
  signedGrant,
  signedHead,
  signedTombstone,
  walletNamed,
} from '../testing/sealed-dataset.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { createCustodian } from './custodian.ts';
import { openCustody } from './custody.ts';

const LOOK_MS = 20;
const root = temporaryFolder('custody-vault');
const logger = pino({ level: 'silent' });
const purpose = { pipeline: 'read', isCommercial: false, zone: 'MX' };
const common = { network, crypto: nodeCrypto, now: Date.now, logger };

/** A custodian with an empty custody, not started. */
async function makeCustodian(t: TestContext, identity = testIdentity()) {
  const folder = mkdtempSync(join(root, 'data-'));
  const custody = await openCustody({ ...common, folder });
  t.after(() => custody.close());
  let custodian: ReturnType<typeof createCustodian> | undefined;
  const serve = (listener: NetworkListener) => {
    const own = { custody, identity, listener, coordinators: [], removeEveryMs: LOOK_MS };
    custodian = createCustodian({ ...common, ...own });
  };
  const { address } = await startTestNode(t, serve, { identity });
  t.after(() => custodian?.stop());
  return { custody, custodian: custodian ?? assert.fail(), address, identity };
}

async function startOwner(t: TestContext) {
  const { custody, custodian, address, identity } = await makeCustodian(t);
  const account = await testAccount(['read', 'list', 'put', 'custody']);
  const key = toHex(identity.signingKey.publicKey);
  const statement = {
    nodeId: identity.nodeId,
    endpoint: { host: '127.0.0.1', port: address.port },
  };
  custody.setCustodian(await signedCustodian(account.wallet, statement));
  const first = await signedHead(account.wallet, { custodian: key });
  custody.addHead(first.signed);
  const revoke = async (id: Digest) => {
    const change = { number: 2, previous: first.id, revoked: [id], custodian: key };
    custody.addHead((await signedHead(account.wallet, change)).signed);
  };
  return { custody, custodian, address, identity, account, revoke };
}

/** A dataset of that owner in that vault. */
async function stored(
  t: TestContext,
  vault: Awaited<ReturnType<typeof startVault>>,
  { custody, account }: Pick<Awaited<ReturnType<typeof startOwner>>, 'custody' | 'account'>,
) {
  const dataset = await sealedDataset(account.wallet, custody.publicKey, { cidOf: bodyCid });
  custody.addDataset({ ...dataset, vaults: [vault.address] });
  await putBody(t, { vault: vault.address, owner: account }, dataset);
  custody.markStored(dataset.id, vault.address);
  return dataset;
}

const wire = ({ start, end }: Range) => ({ start: BigInt(start), end: BigInt(end) });

test('a grantee of a region reads it from the vault with the keys of the custodian, until revoked', async (t) => {
  const { address: vault } = await startVault(t, root);
  const { custody, custodian, address, account, revoke } = await startOwner(t);
  const plaintext = nodeCrypto.random((GROUP_SEGMENTS + 5) * SEGMENT_BYTES);
  const dataset = await sealedDataset(account.wallet, custody.publicKey, {
    plaintext,
    hasGroups: true,
    cidOf: bodyCid,
  });
  custody.addDataset({ ...dataset, vaults: [vault] });
  await putBody(t, { vault, owner: account }, dataset);
  custody.markStored(dataset.id, vault);
  await custodian.start();

  const grantee = await testAccount();
  const region = {
    start: GROUP_SEGMENTS * SEGMENT_BYTES + 70_000,
    end: GROUP_SEGMENTS * SEGMENT_BYTES + 140_000,
  };
  const grant = await signedGrant(account.wallet, {
    dataset: dataset.id,
    grantee: grantee.wallet.address,
    regions: [{ refName: 'chr1', start: 0, end: 9 }],
  });
  custody.addGrant({ grant: grant.signed, byteRanges: [region] });
  const { bytes, key } = await encryptionKeyOf(grantee.wallet);
  const bytesOfGrant = encodeDocument(grant.signed);
  const ask = () =>
    channelOf(t, address, grantee).call('releaseHeader', {
      body: {
        dataset: dataset.id,
        grant: toBase64(bytesOfGrant),
        purpose,
        encryptionKey: toBase64(bytes),
      },
    });
  const released = await ask();
  const theirs = channelOf(t, parseNodeAddress(released.vaults[0] ?? ''), grantee).bionfs;
  const segments = released.segments ?? assert.fail();
  const open = (ranges: readonly Range[]) =>
    theirs.open({
      objectId: dataset.id,
      purpose,
      ranges: ranges.map(wire),
      grants: [bytesOfGrant],
      grantSegments: [fromBase64(released.grantSegments ?? '', 'segments')],
    });
  const ranges = segments.map((each) => bodyRange(each, dataset.body.length));
  // The first head is on its way to the vault when the custodian starts.
  const { stateId } = await eventually(() => open(ranges));
  const parts: Uint8Array[] = [];
  for (const range of ranges) {
    for await (const { data } of theirs.read({ stateId, range: wire(range) })) parts.push(data);
  }
  const { dataKeys, editList } = openHeader(nodeCrypto, fromBase64(released.header, 'header'), key);
  const read: Uint8Array[] = [];
  const source = (async function* () {
    yield joinBytes(parts);
  })();
  const opener = openWithAny(nodeCrypto, dataKeys);
  for await (const each of decryptBody(source, { open: opener, ...(editList && { editList }) }))
    read.push(each);
  assert.deepEqual(joinBytes(read), plaintext.slice(region.start, region.end));
  await assert.rejects(open([{ start: 0, end: 10 }]), { code: 'ACCESS_REFUSED' });

  await revoke(grant.id);
  await assert.rejects(ask(), { message: 'the grant was revoked' });
  const refused = await eventually(async () => {
    const error = await open(ranges).then(
      () => undefined,
      (thrown) => thrown,
    );
    return error ?? assert.fail('it is served yet');
  });
  assert.equal(refused.code, 'ACCESS_REFUSED');
  assert.deepEqual(custodian.health(), { status: 'ok' });
});

test('a custodian of an older backup learns from the vault that it is behind, and releases nothing', async (t) => {
  const { address: vault } = await startVault(t, root);
  const first = await startOwner(t);
  const { account, identity } = first;
  const dataset = await sealedDataset(account.wallet, first.custody.publicKey, { cidOf: bodyCid });
  first.custody.addDataset({ ...dataset, vaults: [vault] });
  await putBody(t, { vault, owner: account }, dataset);
  first.custody.markStored(dataset.id);
  const grantee = await testAccount();
  const to = { dataset: dataset.id, grantee: grantee.wallet.address };
  const grant = await signedGrant(account.wallet, to);
  first.custody.addGrant({ grant: grant.signed, byteRanges: null });
  const backup = await first.custody.backup('a passphrase');
  await first.revoke(grant.id);
  await first.custodian.start();
  const attestedBy = (of: typeof account) =>
    channelOf(t, vault, of).bionfs.open({
      objectId: dataset.id,
      purpose,
      grants: [encodeDocument(grant.signed)],
    });
  await eventually(() => assert.rejects(attestedBy(grantee), { message: /revoked/ }));
  await first.custodian.stop();

  const second = await makeCustodian(t, identity);
  await second.custody.restore(backup, 'a passphrase');
  await second.custodian.start();
  await eventually(async () => assert.equal(second.custodian.health().status, 'failing'));
  const { bytes } = await encryptionKeyOf(grantee.wallet);
  const body = { dataset: dataset.id, grant: null, purpose, encryptionKey: toBase64(bytes) };
  const asked = channelOf(t, second.address, grantee).call('releaseHeader', { body });
  await assert.rejects(asked, { message: 'the dataset is not to be had now' });
  assert.deepEqual(second.custody.accessLog()[0]?.reasons, ['head:behind']);
});

/** What `attempt` answers once it does; the test's time limit ends it otherwise. */
async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch {
      // Not yet.
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

test('a vault that was away when its owner shredded a dataset removes its copy when it is back', async (t) => {
  const vault = await startVault(t, root);
  const { custody, custodian, account } = await startOwner(t);
  const gone = await stored(t, vault, { custody, account });
  const kept = await stored(t, vault, { custody, account });
  const { bionfs } = channelOf(t, vault.address, account);
  await vault.storage.stop();
  custody.addTombstone(await signedTombstone(account.wallet, gone.id));
  custody.shred(gone.id);
  assert.deepEqual(
    custody.listRemovals().map(({ dataset, vault: at }) => [dataset, at]),
    [[gone.id, vault.address]],
  );
  await custodian.start();
  await vault.storage.start();
  while (custody.listRemovals().length > 0) await delay(LOOK_MS);
  await assert.rejects(bionfs.stat({ objectId: gone.id }), { code: 'OBJECT_NOT_FOUND' });
  assert.equal((await bionfs.stat({ objectId: kept.id })).objectId, kept.id);
  const manifest = encodeDocument(gone.manifest);
  await assert.rejects(bionfs.openPut({ manifest }), { code: 'OBJECT_REMOVED' });
});

test('a tombstone that its owner has not signed is none, and nothing goes without one', async (t) => {
  const { custody, account } = await startOwner(t);
  const dataset = await sealedDataset(account.wallet, custody.publicKey);
  custody.addDataset(dataset);
  const mallory = walletNamed('mallory');
  const lies = [
    await signedTombstone(mallory, dataset.id),
    await signedTombstone(mallory, dataset.id, { owner: account.wallet.address }),
    await signedTombstone(account.wallet, dataset.id, { network: dataset.id }),
  ];
  for (const lie of lies) {
    assert.throws(() => custody.addTombstone(lie), { code: 'INPUT_MALFORMED' });
  }
  custody.shred(dataset.id);
  assert.deepEqual(custody.listRemovals(), []);
});

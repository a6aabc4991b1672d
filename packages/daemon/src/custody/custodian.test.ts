import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AppError, type Digest } from '@helixmesh/protocol';
import { BioNfs } from '@helixmesh/protocol/bionfs';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  encodeDocument,
  fromBase64,
  isHeadFresh,
  openHeader,
  parseHeadAttestation,
  parseRevocationHead,
  type RevocationHead,
  toBase64,
  toHex,
  verifyDocument,
  verifyWithKey,
} from '@helixmesh/protocol/sealing';
import { pino } from 'pino';
import type { NetworkListener } from '../network/listener.ts';
import {
  channelOf,
  nodeChannelOf,
  startTestNode,
  type TestAccount,
  testAccount,
  testIdentity,
} from '../network/testing/test-node.ts';
import {
  encryptionKeyOf,
  network,
  sealedDataset,
  signedCustodian,
  signedGrant,
  signedHead,
  walletNamed,
} from '../testing/sealed-dataset.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { createCustodian } from './custodian.ts';
import { openCustody } from './custody.ts';

const root = temporaryFolder('custodian');
const purpose = { pipeline: 'read', isCommercial: false, zone: 'MX' };
const logger = pino({ level: 'silent' });

/** A clock that can be put forward. */
function makeClock() {
  let aheadMs = 0;
  const skip = (ms: number) => {
    aheadMs += ms;
  };
  return { now: () => Date.now() + aheadMs, skip };
}

/** An owner with a custodian that serves on a free port, and one dataset in it. */
async function startCustodian(t: TestContext, clock = makeClock()) {
  const { now } = clock;
  const folder = mkdtempSync(join(root, 'data-'));
  const open = async () => {
    const custody = await openCustody({ folder, crypto: nodeCrypto, network, now });
    t.after(() => custody.close());
    return custody;
  };
  const custody = await open();
  const owner = (await testAccount()).wallet;
  const identity = testIdentity();
  let custodian: ReturnType<typeof createCustodian> | undefined;
  const serve = (listener: NetworkListener) => {
    const shared = { custody, identity, network, listener, crypto: nodeCrypto, now, logger };
    const options = { ...shared, coordinators: [] };
    custodian = createCustodian(options);
  };
  const { address } = await startTestNode(t, serve, { identity, now });
  assert.ok(custodian);
  const key = toHex(identity.signingKey.publicKey);
  const first = await signedHead(owner, { custodian: key });
  /** What `biofs revoke` does, in a process of its own. */
  const revoke = async (id: Digest) => {
    const change = { number: 2, previous: first.id, revoked: [id], custodian: key };
    (await open()).addHead((await signedHead(owner, change)).signed);
  };
  return { custody, open, owner, identity, custodian, address, first, revoke, clock };
}

type Running = Awaited<ReturnType<typeof startCustodian>>;

async function withDataset(running: Running) {
  const { custody, owner, first } = running;
  const dataset = await sealedDataset(owner, custody.publicKey);
  custody.addDataset(dataset);
  custody.markStored(dataset.id);
  custody.addHead(first.signed);
  return dataset;
}

/** Asks for keys as an account does. */
async function asking(t: TestContext, { address, clock }: Running, account: TestAccount) {
  const { bytes, key } = await encryptionKeyOf(account.wallet);
  const channel = channelOf(t, address, account, clock.now);
  const encryptionKey = toBase64(bytes);
  const ask = (dataset: Digest, grant: Uint8Array | null = null) => {
    const body = { dataset, grant: grant && toBase64(grant), purpose, encryptionKey };
    return channel.call('releaseHeader', { body });
  };
  return { key, ask };
}

/** Resolves when `isTrue`; the test's time limit ends it otherwise. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 10));
}

test('a grantee gets keys over the network until the owner revokes, and then at once none', async (t) => {
  const running = await startCustodian(t);
  const dataset = await withDataset(running);
  const grantee = await testAccount();
  const grant = await signedGrant(running.owner, {
    dataset: dataset.id,
    grantee: grantee.wallet.address,
  });
  const bytes = encodeDocument(grant.signed);
  const { ask, key } = await asking(t, running, grantee);
  const answer = await ask(dataset.id, bytes);
  const header = fromBase64(answer.header, 'a header');
  assert.deepEqual(openHeader(nodeCrypto, header, key).dataKeys, dataset.keys);
  assert.notEqual(answer.partHeader, null);

  await running.revoke(grant.id);
  const revoked = { code: 'ACCESS_REFUSED', message: 'the grant was revoked' };
  await assert.rejects(ask(dataset.id, bytes), revoked);
  const log = (await running.open()).accessLog();
  assert.deepEqual(
    log.map(({ who, outcome, reasons }) => [who, outcome, reasons]),
    [
      [grantee.wallet.address, 'refused', ['grant:revoked']],
      [grantee.wallet.address, 'released', []],
    ],
  );
});

test('a stranger cannot tell a dataset that is here from one that is not', async (t) => {
  const running = await startCustodian(t);
  const dataset = await withDataset(running);
  const stranger = await testAccount();
  const { ask } = await asking(t, running, stranger);
  const own = await signedGrant(stranger.wallet, {
    dataset: dataset.id,
    grantee: stranger.wallet.address,
  });
  const heard: unknown[] = [];
  const listen = (error: unknown) => {
    heard.push(error instanceof AppError ? error.toRecord() : error);
    return true;
  };
  await assert.rejects(ask(dataset.id), listen);
  await assert.rejects(ask(own.id), listen);
  await assert.rejects(ask(dataset.id, encodeDocument(own.signed)), listen);
  await assert.rejects(ask(dataset.id, new Uint8Array(9)), listen);
  running.custody.shred(dataset.id);
  await assert.rejects(ask(dataset.id), listen);
  assert.equal(heard.length, 5);
  for (const one of heard) assert.deepEqual(one, heard[0]);
  const reasons = running.custody.accessLog().map((entry) => entry.reasons.join());
  assert.deepEqual(reasons, [
    'dataset:shredded,grant:missing',
    'grant:malformed',
    'grant:signature',
    'dataset:unknown',
    'grant:missing',
  ]);
});

test('keys are for sessions that may read, and for no node and nobody', async (t) => {
  const running = await startCustodian(t);
  const dataset = await withDataset(running);
  const { ask } = await asking(t, running, await testAccount(['list']));
  await assert.rejects(ask(dataset.id), { code: 'ACCESS_REFUSED' });
  const body = { dataset: dataset.id, grant: null, purpose, encryptionKey: 'AAAA' };
  const nobody = channelOf(t, running.address);
  await assert.rejects(nobody.call('releaseHeader', { body }), { code: 'UNAUTHENTICATED' });
  const node = nodeChannelOf(t, running.address, testIdentity());
  await assert.rejects(node.call('releaseHeader', { body }), { code: 'UNAUTHENTICATED' });
});

test('anybody may ask for the last head, freshly attested by the custodian that it names', async (t) => {
  const running = await startCustodian(t);
  const { custody, owner, identity, first } = running;
  custody.addHead(first.signed);
  const nobody = channelOf(t, running.address);
  const ask = () => nobody.call('getHead', { params: { owner: owner.address } });
  await assert.rejects(ask(), { code: 'NOT_FOUND' }, 'without a statement there is no custodian');
  custody.setCustodian(await signedCustodian(owner, { nodeId: identity.nodeId }));
  const answer = await ask();
  const head = parseRevocationHead(fromBase64(answer.head, 'a head'));
  const signer = { network, signer: owner.address };
  assert.equal(verifyDocument(nodeCrypto, head, signer).status, 'valid');
  const attestation = parseHeadAttestation(fromBase64(answer.attestation, 'an attestation'));
  const { publicKey } = identity.signingKey;
  assert.equal(verifyWithKey(nodeCrypto, attestation, { network, publicKey }).status, 'valid');
  const known = { id: first.id, head: head.document };
  assert.ok(isHeadFresh(known, attestation.document, Date.now()));
  const seen = await signedHead(owner, { number: 2, previous: first.id });
  custody.noteSeenHead(owner.address, encodeDocument(seen.signed));
  await assert.rejects(ask(), { code: 'NOT_FOUND' }, 'an older head is not attested');
});

/** The heads that a vault has taken, served as a vault does. */
async function startVault(t: TestContext, now: () => number, port = 0, identity = testIdentity()) {
  const taken: { number: number; by: string; hasHead: boolean }[] = [];
  const held = new Map<string, RevocationHead>();
  const serve = (listener: NetworkListener) =>
    listener.service(BioNfs, {
      pushHead(request, context) {
        const attestation = parseHeadAttestation(request.attestation);
        const { number, owner } = attestation.document;
        const hasHead = request.head.length > 0;
        const head = hasHead ? parseRevocationHead(request.head).document : held.get(owner);
        if (head === undefined) return { number: 0n };
        const signer = { network, publicKey: keyOf(head.custodian) };
        assert.equal(verifyWithKey(nodeCrypto, attestation, signer).status, 'valid');
        held.set(owner, head);
        const caller = listener.callerOf(context);
        const by = caller.kind === 'node' ? caller.nodeId : caller.kind;
        taken.push({ number, by, hasHead });
        return { number: BigInt(number) };
      },
    });
  const { address, listener } = await startTestNode(t, serve, { now, port, identity });
  return { address, listener, taken, identity };
}

const keyOf = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));

test('a new head reaches the vaults of its datasets at once', async (t) => {
  const running = await startCustodian(t);
  const { custody, owner, identity, custodian, clock } = running;
  const vault = await startVault(t, clock.now);
  const dataset = await withDataset(running);
  custody.markStored(dataset.id, vault.address);
  custody.setCustodian(await signedCustodian(owner, { nodeId: identity.nodeId }));
  await custodian.start();
  t.after(() => custodian.stop());
  await until(() => vault.taken.length === 1);
  assert.deepEqual(vault.taken, [{ number: 1, by: identity.nodeId, hasHead: true }]);
  await running.revoke(`sha256:${'9'.repeat(64)}` as Digest);
  await until(() => vault.taken.length === 2);
  assert.deepEqual(vault.taken[1], { number: 2, by: identity.nodeId, hasHead: true });
  clock.skip(20_000);
  await until(() => vault.taken.length === 3);
  assert.deepEqual(vault.taken[2], { number: 2, by: identity.nodeId, hasHead: false });
});

test('a vault that says it holds a later head, and shows none that the owner has signed, stops nothing', async (t) => {
  const running = await startCustodian(t);
  const { custody, owner, identity, custodian, clock } = running;
  let asked = 0;
  const forged = await signedHead(walletNamed('thief'), { number: 7, previous: running.first.id });
  const lying = (listener: NetworkListener) =>
    listener.service(BioNfs, {
      pushHead() {
        asked += 1;
        return { number: 7n, ...(asked > 1 && { head: encodeDocument(forged.signed) }) };
      },
    });
  const liar = await startTestNode(t, lying, { now: clock.now });
  const honest = await startVault(t, clock.now);
  const dataset = await sealedDataset(owner, custody.publicKey);
  custody.addDataset({ ...dataset, vaults: [liar.address, honest.address] });
  custody.addHead(running.first.signed);
  custody.setCustodian(await signedCustodian(owner, { nodeId: identity.nodeId }));
  await custodian.start();
  t.after(() => custodian.stop());
  for (const round of [1, 2]) {
    await until(() => asked >= round && honest.taken.length === round);
    clock.skip(20_000);
  }
  assert.equal(custody.currentHead(owner.address)?.seenNumber, 0);
});

test('a vault that is offline is told of, tried again, and forgotten when it has the head', async (t) => {
  const running = await startCustodian(t);
  const { custody, owner, identity, custodian, clock } = running;
  const gone = await startVault(t, clock.now);
  await gone.listener.close();
  const dataset = await sealedDataset(owner, custody.publicKey);
  custody.addDataset({ ...dataset, vaults: [gone.address] });
  custody.addHead(running.first.signed);
  custody.setCustodian(await signedCustodian(owner, { nodeId: identity.nodeId }));
  await custodian.start();
  t.after(() => custodian.stop());
  assert.deepEqual(custodian.health(), { status: 'ok' });
  clock.skip(61_000);
  const why = () => {
    const health = custodian.health();
    // It still releases keys: that another node is away makes it no worse.
    return health.status === 'degraded' ? health.why : '';
  };
  await until(() => why().includes('PEER_UNREACHABLE'));
  assert.match(why(), /^1 of 1 vaults have not taken the revocation head for a minute/);
  const back = await startVault(t, clock.now, gone.address.port, gone.identity);
  clock.skip(20_000);
  await until(() => back.taken.length > 0 && custodian.health().status === 'ok');
});

test('a vault that holds a later head than the custodian stops releases, and health says why', async (t) => {
  const running = await startCustodian(t);
  const { custody, owner, identity, custodian } = running;
  const dataset = await withDataset(running);
  const later = await signedHead(owner, { number: 3, previous: running.first.id });
  const held = { number: 3n, head: encodeDocument(later.signed) };
  const serve = (listener: NetworkListener) => listener.service(BioNfs, { pushHead: () => held });
  const { address } = await startTestNode(t, serve);
  custody.markStored(dataset.id, address);
  const stateless = custodian.health();
  assert.match(stateless.status === 'failing' ? stateless.why : '', /biofs login/);
  custody.setCustodian(await signedCustodian(owner, { nodeId: identity.nodeId }));
  await custodian.start();
  t.after(() => custodian.stop());
  await until(() => custodian.health().status === 'failing');
  const health = custodian.health();
  assert.match(health.status === 'failing' ? health.why : '', /later revocation head/);
  const grantee = await testAccount();
  const grant = { dataset: dataset.id, grantee: grantee.wallet.address };
  const { ask } = await asking(t, running, grantee);
  const bytes = encodeDocument((await signedGrant(owner, grant)).signed);
  await assert.rejects(ask(dataset.id, bytes), { message: 'the dataset is not to be had now' });
});

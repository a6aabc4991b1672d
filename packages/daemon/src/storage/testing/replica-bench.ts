/** An owner with a custodian, and vaults of theirs: everything over real TLS, and in real files. */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { replicateObject } from '@helixmesh/client/biofs';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  encodeDocument,
  type NodeAddress,
  type Signed,
  signDocument,
  toHex,
} from '@helixmesh/protocol/sealing';
import { flipped } from '@helixmesh/protocol/testing/bytes';
import { operatorIdSchema, ZONE_STATEMENT_TYPE, type ZoneStatement } from '@helixmesh/scheduler';
import { pino } from 'pino';
import { createCustodian } from '../../custody/custodian.ts';
import { openCustody } from '../../custody/custody.ts';
import type { NetworkListener } from '../../network/listener.ts';
import {
  channelOf,
  startTestNode,
  type TestAccount,
  testAccount,
  testIdentity,
} from '../../network/testing/test-node.ts';
import type { Application } from '../../node/application.ts';
import { bodyCid, putBody, startVault } from '../../testing/running-vault.ts';
import {
  network,
  sealedDataset,
  signedCustodian,
  signedHead,
  walletNamed,
} from '../../testing/sealed-dataset.ts';
import { temporaryFolder } from '../../testing/temporary-folder.ts';
import type { StorageOptions } from '../storage.ts';

const root = temporaryFolder('replicas');
const logger = pino({ level: 'silent' });
const common = { network, crypto: nodeCrypto, now: Date.now, logger };
export const operator = walletNamed('operator');
/** Six leaves, a node above them, and a list of nonces and tags. */
const BODY_BYTES = 5_500_000;

export type Dataset = Awaited<ReturnType<typeof sealedDataset>>;
export type Owner = Awaited<ReturnType<typeof startOwner>>;
export type Vault = Awaited<ReturnType<typeof startVault>>;

/** What an operator signs of where a vault is. */
export function zoneStatement(
  nodeId: NodeAddress['nodeId'],
  changes: Partial<ZoneStatement> = {},
): Promise<Signed<ZoneStatement>> {
  return signDocument<ZoneStatement>(operator, {
    type: ZONE_STATEMENT_TYPE,
    network,
    nodeId,
    operator: operatorIdSchema.parse(operator.address),
    zones: ['MX'],
    untilMs: Date.now() + 3_600_000,
    ...changes,
  });
}

/** A vault in Mexico, of which an operator has said so unless `statement` is another one. */
export async function vaultOf(
  t: TestContext,
  changes: Partial<StorageOptions> = {},
  statement: Partial<ZoneStatement> | null = {},
): Promise<Vault> {
  const identity = testIdentity();
  const signed = statement === null ? null : await zoneStatement(identity.nodeId, statement);
  return await startVault(t, root, { identity, zoneStatement: async () => signed, ...changes });
}

/** Somebody with a custodian that runs, and what they do with vaults. */
export async function startOwner(t: TestContext) {
  const identity = testIdentity();
  const folder = mkdtempSync(join(root, 'owner-'));
  const custody = await openCustody({ ...common, folder });
  t.after(() => custody.close());
  let custodian: Application | undefined;
  const serve = (listener: NetworkListener) => {
    const trusted = { coordinators: [], operators: [operator.address] };
    custodian = createCustodian({ ...common, custody, identity, listener, ...trusted });
  };
  const { address, listener } = await startTestNode(t, serve, { identity });
  t.after(() => custodian?.stop());
  const account = await testAccount(['read', 'list', 'put', 'custody']);
  const endpoint = { host: '127.0.0.1', port: address.port };
  const statement = await signedCustodian(account.wallet, { nodeId: identity.nodeId, endpoint });
  custody.setCustodian(statement);
  const key = toHex(identity.signingKey.publicKey);
  custody.addHead((await signedHead(account.wallet, { custodian: key })).signed);
  await custodian?.start();
  const bionfs = ({ address: at }: Vault, as: TestAccount = account) => channelOf(t, at, as).bionfs;
  const messageOf = ({ manifest }: Dataset) => ({
    manifest: encodeDocument(manifest),
    custodian: encodeDocument(statement),
  });

  return {
    custody,
    account,
    identity,
    bionfs,
    messageOf,
    /** The custodian can no longer be reached. */
    async goOffline() {
      await custodian?.stop();
      await listener.close();
    },
    /** A dataset whose copies lie in those vaults, as `biofs put` leaves it. */
    async dataset(vaults: readonly Vault[], residency: string[] | null = null): Promise<Dataset> {
      const plaintext = nodeCrypto.random(BODY_BYTES);
      const options = { plaintext, cidOf: bodyCid, changes: { residency } };
      const made = await sealedDataset(account.wallet, custody.publicKey, options);
      custody.addDataset({ ...made, vaults: vaults.map((vault) => vault.address) });
      for (const vault of vaults) {
        await putBody(t, { vault: vault.address, owner: account }, made);
        custody.markStored(made.id, vault.address);
      }
      return made;
    },
    async putInto(dataset: Dataset, vault: Vault): Promise<void> {
      await putBody(t, { vault: vault.address, owner: account }, dataset);
      custody.markStored(dataset.id, vault.address);
    },
    /** What `biofs replicate` does. */
    async replicate(dataset: Dataset, to: Vault): Promise<'stored' | 'known'> {
      custody.nameReplica(dataset.id, to.address);
      const signal = AbortSignal.timeout(120_000);
      return await replicateObject(bionfs(to), messageOf(dataset), { signal });
    },
    /** Reads all of it at that vault. */
    async assertWhole(dataset: Dataset, at: Vault): Promise<void> {
      const reader = bionfs(at);
      const { stateId } = await reader.open({ objectId: dataset.id });
      const range = { start: 0n, end: BigInt(dataset.body.length) };
      const parts: Uint8Array[] = [];
      for await (const { data } of reader.read({ stateId, range })) parts.push(data);
      assert.ok(Buffer.concat(parts).equals(dataset.body), 'the copy is the body');
      const tags: Uint8Array[] = [];
      for await (const { data } of reader.readTags({ stateId })) tags.push(data);
      assert.equal(Buffer.concat(tags).length, 28 * dataset.segments.length);
    },
    stateOf: (dataset: Dataset, vault: Vault) =>
      custody.listReplicas(dataset.id).find((one) => one.vault.nodeId === vault.identity.nodeId)
        ?.state,
  };
}

/** The files of a vault's blocks. */
export async function blockFiles({ folder }: Vault): Promise<string[]> {
  const found = await readdir(join(folder, 'blocks'), { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort();
}

/** Flips a bit of a file. */
export async function damage(file: string): Promise<void> {
  await writeFile(file, flipped(await readFile(file), 9));
}

/** Takes a file away. */
export async function lose(file: string): Promise<void> {
  await rm(file);
}

/** What `attempt` answers once it does; the test's time limit ends it otherwise. */
export async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch {
      // Not yet.
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** A vault on a free port, and putting sealed datasets into it, for tests of several roles. */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { encodeDocument, type NodeAddress } from '@helixmesh/protocol/sealing';
import { BLOCK_BYTES_MAX, buildDag, cidOf } from '@helixmesh/vault';
import { pino } from 'pino';
import type { NodeIdentity } from '../network/identity.ts';
import type { NetworkListener } from '../network/listener.ts';
import {
  channelOf,
  startTestNode,
  type TestAccount,
  testIdentity,
} from '../network/testing/test-node.ts';
import type { Application } from '../node/application.ts';
import { createStorage, type StorageOptions } from '../storage/storage.ts';
import { network, type sealedDataset } from './sealed-dataset.ts';

/** The CID under which a vault will keep a body: `cidOf` of `sealedDataset`. */
export async function bodyCid(body: Uint8Array): Promise<string> {
  const dag = buildDag(nodeCrypto, async () => {});
  for (let at = 0; at < body.length; at += BLOCK_BYTES_MAX) {
    const leaf = body.subarray(at, at + BLOCK_BYTES_MAX);
    await dag.append(cidOf(nodeCrypto, 'raw', leaf), leaf.length);
  }
  return await dag.finish();
}

export interface RunningVault {
  readonly address: NodeAddress;
  readonly folder: string;
  readonly identity: NodeIdentity;
  readonly storage: Application;
}

/** Its data lies in a folder of its own below `root`; it ends with the test. */
export async function startVault(
  t: TestContext,
  root: string,
  changes: Partial<StorageOptions> = {},
): Promise<RunningVault> {
  const identity = changes.identity ?? testIdentity();
  const folder = changes.folder ?? mkdtempSync(join(root, 'vault-'));
  const quotaOf = () => ({ bytes: 2 ** 30, objects: 10 });
  const logger = pino({ level: 'silent' });
  const common = { network, crypto: nodeCrypto, now: Date.now, logger };
  let storage: ReturnType<typeof createStorage> | undefined;
  const serve = (listener: NetworkListener) => {
    const own = { folder, identity, zone: 'MX', quotaOf, listener };
    storage = createStorage({ ...common, ...own, ...changes });
  };
  const { address } = await startTestNode(t, serve, { identity });
  await storage?.start();
  t.after(() => storage?.stop());
  return { address, folder, identity, storage: storage ?? assert.fail() };
}

/** What `biofs put` does with the body. */
export async function putBody(
  t: TestContext,
  { vault, owner }: { readonly vault: NodeAddress; readonly owner: TestAccount },
  dataset: Awaited<ReturnType<typeof sealedDataset>>,
): Promise<void> {
  const { bionfs } = channelOf(t, vault, owner);
  const opened = await bionfs.openPut({ manifest: encodeDocument(dataset.manifest) });
  await bionfs.write(
    (async function* () {
      yield { stateId: opened.stateId, data: new Uint8Array() };
      for (let at = 0; at < dataset.body.length; at += PIECE_BYTES) {
        yield { data: dataset.body.subarray(at, at + PIECE_BYTES) };
      }
    })(),
  );
}

const PIECE_BYTES = 1_000_000;

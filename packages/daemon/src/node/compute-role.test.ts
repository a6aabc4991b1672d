/** Nodes as `up` starts them: a coordinator, and one that computes; over TLS, with real tools. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from '@helixmesh/client';
import { type Channel, openChannel } from '@helixmesh/client/network';
import { addReference, simulate } from '@helixmesh/pipelines';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { KEY_BYTES, type NodeView, parseNodeAddress, walletOf } from '@helixmesh/protocol/sealing';
import { referenceService } from '@helixmesh/scheduler';
import { ZONE_STATEMENT_FILE } from '../coordination/profile.ts';
import { vouchFor } from '../coordination/vouch.ts';
import { loadIdentity } from '../network/identity.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { loadConfig } from './config.ts';
import type { NodeConfig } from './config-schema.ts';
import { initNode } from './init.ts';
import { readNetworkFile } from './network-file.ts';
import { nodePaths } from './paths.ts';
import { type RunningNode, startNode } from './start-node.ts';

const LONG = { timeout: 480_000 };
const LOOK_MS = 50;
const HOUR_MS = 3_600_000;
const root = temporaryFolder('compute-role');
const wallet = walletOf(nodeCrypto, nodeCrypto.random(KEY_BYTES));

async function folderOf(name: string, settings: Partial<NodeConfig>, genesisFile?: string) {
  return initNode({
    dataDir: join(root, name),
    network: genesisFile === undefined ? { name: 'test' } : { genesisFile },
    settings: { listen: '127.0.0.1:0', ...settings },
    nowMs: Date.now(),
  });
}

async function up(t: TestContext, dataDir: string): Promise<RunningNode> {
  const { config } = loadConfig({ env: {}, flags: { dataDir } });
  const node = await startNode({ config });
  t.after(() => node.stop());
  return node;
}

async function channelTo(t: TestContext, address: string, dataDir: string): Promise<Channel> {
  const identity = await loadIdentity(dataDir);
  const { id: network } = await readNetworkFile(nodePaths(dataDir).networkFile);
  const { secretKey } = identity.signingKey;
  const channel = openChannel({
    ...{ address: parseNodeAddress(address), network, signer: { secretKey } },
    certificate: identity,
  });
  t.after(() => channel.close());
  return channel;
}

async function until(look: () => Promise<NodeView[]>, is: (view: NodeView) => boolean) {
  for (;;) {
    const view = (await look()).find(is);
    if (view !== undefined) return view;
    await delay(LOOK_MS);
  }
}

async function whyOf(node: RunningNode, name: string): Promise<string | null> {
  const client = createClient({ socketPath: node.socketPath });
  const { applications } = await client.call('getHealth', { params: {} });
  return applications?.find((each) => each.name === name)?.why ?? null;
}

test(
  'a node that computes is admitted once its operator vouches for it and its canary is right',
  LONG,
  async (t) => {
    const founded = await folderOf('coordinator', { roles: ['coordinator'], cores: 1 });
    const coordinator = await up(t, founded.dataDir);
    const address = coordinator.address ?? assert.fail();
    const own: Partial<NodeConfig> = {
      roles: ['compute'],
      cores: 1,
      coordinator: address,
      operator: wallet.address,
    };
    const made = await folderOf('compute', own, founded.networkFile);
    const input = join(root, 'input');
    await simulate({ outDir: input, contigs: 1, basesPerContig: 20_000, mitochondrion: false });
    const { referenceRoot, computeRoot } = nodePaths(made.dataDir);
    const fasta = join(input, 'ref.fa');
    const { digest } = await addReference({ name: 'ref', fasta }, { storeDir: referenceRoot });

    const first = await up(t, made.dataDir);
    const channel = await channelTo(t, address, made.dataDir);
    const list = () => channel.call('listNodes', {});
    const registered = await until(list, ({ nodeId }) => nodeId === made.nodeId);
    assert.equal(registered.admission, 'registered');
    assert.match(registered.reason?.message ?? '', /node vouch/);
    assert.ok(registered.services.includes(referenceService(digest)), registered.services.join());
    assert.equal(registered.slots, 1);
    while ((await whyOf(first, 'compute')) === null) await delay(LOOK_MS);
    assert.match((await whyOf(first, 'compute')) ?? '', /no statement of its operator/);
    await first.stop();

    const statement = await vouchFor(wallet, {
      ...{ network: made.network, node: made.nodeId, zones: ['MX'] },
      untilMs: Date.now() + HOUR_MS,
    });
    await writeFile(join(made.dataDir, ZONE_STATEMENT_FILE), statement);
    const second = await up(t, made.dataDir);
    const admitted = await until(
      list,
      (view) => view.admission === 'available' && view.nodeId === made.nodeId,
    );
    assert.deepEqual([admitted.zones, admitted.reason], [['MX'], null]);
    while ((await whyOf(second, 'compute')) !== null) await delay(LOOK_MS);
    for (const folder of ['canary', 'expected']) {
      assert.equal(existsSync(join(computeRoot, folder)), false);
      assert.equal(existsSync(join(nodePaths(founded.dataDir).computeRoot, folder)), false);
    }
  },
);

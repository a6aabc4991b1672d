/**
 * Makes the folders of a network on one machine:
 *
 *   devnet.json          which nodes there are
 *   wallets/NAME.key     the wallet of each operator and of the owner, for play money at most
 *   NAME/                the data folder of each node
 *
 * What is there stays as it is: what was cut off goes on with the same command.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import {
  loadIdentity,
  readNetworkFile,
  vouchFor,
  ZONE_STATEMENT_FILE,
} from '@helixmesh/daemon/identity';
import { initNode, writeNew } from '@helixmesh/daemon/init';
import { AppError, type Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { KEY_BYTES, toHex, type WalletSigner } from '@helixmesh/protocol/sealing';
import { openWallet } from '../biofs/wallet/wallet.ts';
import {
  COORDINATOR,
  type DevnetNode,
  type Layout,
  layoutSchema,
  OWNER,
  planLayout,
  type Wished,
} from './layout.ts';
import { STATEMENT_MS } from './limits.ts';

export interface PreparedNode extends DevnetNode {
  readonly dataDir: string;
  /** `node_…@127.0.0.1:port`. */
  readonly address: string;
  /** Key of the wallet: of the operator, or of the owner. */
  readonly keyFile: string;
  /** Address of that wallet. */
  readonly account: string;
}

export interface PreparedNetwork {
  readonly dataDir: string;
  readonly network: Digest;
  readonly nodes: readonly PreparedNode[];
}

const LAYOUT_FILE = 'devnet.json';

/** Throws CONFLICT where another network of this kind is in the folder already. */
export async function prepareNetwork(
  dataDir: string,
  wished: Wished,
  { isGiven, nowMs }: { readonly isGiven: boolean; readonly nowMs: number },
): Promise<PreparedNetwork> {
  const layout = await layoutOf(dataDir, wished, isGiven);
  const wallets = new Map<string, WalletSigner>();
  for (const { name } of layout.nodes) wallets.set(name, await walletAt(dataDir, name));
  const operators = [...wallets]
    .filter(([name]) => name !== OWNER)
    .map(([, { address }]) => address);
  const computes = layout.nodes.filter(({ role }) => role === 'compute').length;
  const cores = Math.max(1, Math.floor(availableParallelism() / Math.max(1, computes)));
  const nodes: PreparedNode[] = [];
  for (const node of layout.nodes) {
    const operator = wallets.get(node.name)?.address ?? '';
    const folder = join(dataDir, node.name);
    const coordinator = nodes.find(({ name }) => name === COORDINATOR)?.address;
    const belonging = node.name === OWNER ? {} : { operator, coordinator };
    if (!existsSync(join(folder, 'node.toml'))) {
      await initNode({
        dataDir: folder,
        network: networkFor(dataDir, node, operators),
        settings: without({ ...settingsOf(node, cores), ...belonging }),
        nowMs,
      });
    }
    const { nodeId } = await loadIdentity(folder);
    const address = `${nodeId}@127.0.0.1:${node.port}`;
    const keyFile = keyFileOf(dataDir, node.name);
    nodes.push({ ...node, dataDir: folder, address, keyFile, account: operator });
  }
  const { id: network } = await readNetworkFile(join(dataDir, COORDINATOR, 'network.json'));
  for (const node of nodes) await vouched(node, wallets.get(node.name), { network, nowMs });
  return { dataDir, network, nodes };
}

async function layoutOf(dataDir: string, wished: Wished, isGiven: boolean): Promise<Layout> {
  const path = join(dataDir, LAYOUT_FILE);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  if (!existsSync(path)) {
    const planned = await planLayout(wished);
    await writeNew(path, `${JSON.stringify(planned, null, 2)}\n`, 0o644);
  }
  const layout = parsed(await readFile(path, 'utf8'), path);
  const vaults = layout.nodes.filter(({ role }) => role === 'storage').length;
  const isSame = layout.nodes.length - 1 === wished.nodes && vaults === wished.vaults;
  if (isSame || !isGiven) return layout;
  throw new AppError('CONFLICT', `another network is in ${dataDir}`, {
    hint: 'Start it without --nodes and --vaults, or name another folder with --data.',
  });
}

function parsed(text: string, path: string): Layout {
  try {
    return layoutSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new AppError('CONFIG_INVALID', `${path} does not say which nodes there are`, {
      hint: 'Delete the folder and make the network anew, or put the file back.',
      cause,
    });
  }
}

/** The wallet of that name, made where there is none. */
async function walletAt(dataDir: string, name: string): Promise<WalletSigner> {
  const path = keyFileOf(dataDir, name);
  await mkdir(join(dataDir, 'wallets'), { recursive: true, mode: 0o700 });
  if (!existsSync(path)) await writeNew(path, `${toHex(nodeCrypto.random(KEY_BYTES))}\n`, 0o600);
  const passphrase = async () => '';
  return openWallet(nodeCrypto, { kind: 'file', path }, { env: {}, passphrase });
}

function keyFileOf(dataDir: string, name: string): string {
  return join(dataDir, 'wallets', `${name}.key`);
}

/** A founding that was cut off after its genesis document is joined by the founder. */
function networkFor(dataDir: string, { name }: DevnetNode, attestedOperators: readonly string[]) {
  const genesisFile = join(dataDir, COORDINATOR, 'network.json');
  const isFounder = name === COORDINATOR && !existsSync(genesisFile);
  return isFounder ? { name: 'devnet', attestedOperators } : { genesisFile };
}

function settingsOf({ role, port, zone, location }: DevnetNode, cores: number) {
  const shared = role === 'compute' ? { cores } : {};
  return { roles: [role], listen: `127.0.0.1:${port}`, zone, location, ...shared };
}

function without(settings: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(
    Object.entries(settings).filter(([, value]) => value !== null && value !== undefined),
  );
}

/** The operator's word for a node that stands somewhere; the others need none. */
async function vouched(
  { dataDir, zone }: PreparedNode,
  operator: WalletSigner | undefined,
  { network, nowMs }: { readonly network: Digest; readonly nowMs: number },
): Promise<void> {
  const path = join(dataDir, ZONE_STATEMENT_FILE);
  if (zone === null || operator === undefined || existsSync(path)) return;
  const { nodeId: node } = await loadIdentity(dataDir);
  const stated = { network, node, zones: [zone], untilMs: nowMs + STATEMENT_MS };
  await writeNew(path, await vouchFor(operator, stated), 0o644);
}

/**
 * Makes a data folder that belongs to a network: identity, genesis document, settings.
 *
 *   identity/node.key, identity/encryption.key   who it is
 *   network.json                                 which network it belongs to
 *   node.toml                                    what it is there
 *
 * I1  Nothing is written over. What is wrong is told before anything is written.
 * I2  `node.toml` comes last. An init that was cut off is made again with the same command, except
 *     for the founding of a network: once there, its document is joined with `--genesis`.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, type Digest, type NodeId } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  encodeDocument,
  GENESIS_TYPE,
  type Genesis,
  genesisSchema,
  networkId,
  toHex,
} from '@helixmesh/protocol/sealing';
import { loadIdentity, makeIdentity, type NodeIdentity } from '../network/identity.ts';
import { CONFIG_FILE, type LoadedConfig, loadConfig } from './config.ts';
import { configFile } from './config-file.ts';
import type { ConfigKey, NodeConfig } from './config-schema.ts';
import { type Network, readNetworkFile } from './network-file.ts';
import { nodePaths } from './paths.ts';

export interface InitOptions {
  readonly dataDir: string;
  /** Found a network of this name, or join that of a genesis document, which may be in a file. */
  readonly network: Founded | { readonly genesisFile: string } | { readonly genesis: Genesis };
  /** What goes into the file. */
  readonly settings: Partial<Record<ConfigKey, unknown>>;
  /** A prepared TOML file whose settings go into it too; `settings` win over it. */
  readonly settingsFile?: string | undefined;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

export interface Founded {
  readonly name: string;
  /** Wallets whose statements of a zone the network vouches for, beside `node.operator`. */
  readonly attestedOperators?: readonly string[];
}

export interface Initialised {
  readonly dataDir: string;
  readonly nodeId: NodeId;
  readonly network: Digest;
  readonly networkName: string;
  readonly isFounded: boolean;
  readonly roles: NodeConfig['roles'];
  /** `node_…@host:port` for others; null where the folder does not listen. */
  readonly address: string | null;
  readonly networkFile: string;
  readonly configFile: string;
  readonly keyFile: string;
}

/** Throws CONFLICT where one of the files is there, CONFIG_INVALID for settings that do not fit. */
export async function initNode({
  dataDir,
  network,
  settings,
  settingsFile: prepared,
  nowMs,
}: InitOptions): Promise<Initialised> {
  const { networkFile } = nodePaths(dataDir);
  const settingsFile = join(dataDir, CONFIG_FILE);
  const isFounded = 'name' in network;
  refuseExisting(settingsFile);
  if (isFounded) {
    refuseExisting(networkFile);
    assertFounding(network);
  }
  const loaded = loadConfig({ file: prepared, env: {}, flags: { ...settings, dataDir } });
  const { config } = loaded;
  const joined = isFounded ? null : await joinedNetwork(network);
  if (joined !== null && existsSync(networkFile)) await requireSame(joined, networkFile);

  if (joined !== null) await assertCoordinator(config, joined);

  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const identity = await ownIdentity(dataDir);
  const genesis = joined?.genesis ?? found(network as Founded, { config, identity, nowMs });
  if (!existsSync(networkFile)) await writeNew(networkFile, encodeDocument(genesis), 0o644);
  await writeNew(settingsFile, configFile(chosenOf(loaded)), 0o600);
  const { id } = await readNetworkFile(networkFile);
  const reachedAt = config.endpoint ?? config.listen;
  return {
    dataDir,
    nodeId: identity.nodeId,
    network: id,
    networkName: genesis.name,
    isFounded,
    roles: config.roles,
    address:
      config.roles.length === 0 || reachedAt === null ? null : `${identity.nodeId}@${reachedAt}`,
    networkFile,
    configFile: settingsFile,
    keyFile: keyFileOf(dataDir),
  };
}

async function joinedNetwork(
  given: { readonly genesisFile: string } | { readonly genesis: Genesis },
): Promise<Network> {
  if ('genesisFile' in given) return readNetworkFile(given.genesisFile);
  return { genesis: given.genesis, id: networkId(nodeCrypto, given.genesis) };
}

/** The identity of the folder; a person may have made it before. */
async function ownIdentity(dataDir: string): Promise<NodeIdentity> {
  return existsSync(keyFileOf(dataDir)) ? loadIdentity(dataDir) : makeIdentity(dataDir);
}

function keyFileOf(dataDir: string): string {
  return join(dataDir, 'identity', 'node.key');
}

interface Founding {
  readonly config: NodeConfig;
  readonly identity: NodeIdentity;
  readonly nowMs: number;
}

function found(
  { name, attestedOperators = [] }: Founded,
  { config, identity, nowMs }: Founding,
): Genesis {
  const own = config.operator === null ? [] : [config.operator];
  return {
    type: GENESIS_TYPE,
    name,
    createdAtMs: nowMs,
    nonce: toHex(nodeCrypto.random(16)),
    coordinators: config.roles.includes('coordinator') ? [identity.nodeId] : [],
    attestedOperators: [...new Set([...own, ...attestedOperators])].sort(),
  };
}

/** What was given as a setting or stands in the prepared file, without defaults. */
function chosenOf({ config, origins }: LoadedConfig): Partial<Record<ConfigKey, unknown>> {
  const isChosen = (key: string) => origins[key as ConfigKey] !== 'default';
  return Object.fromEntries(Object.entries(config).filter(([key]) => isChosen(key)));
}

function assertFounding({ name, attestedOperators = [] }: Founded): void {
  if (!genesisSchema.shape.name.safeParse(name).success) {
    throw new AppError('USAGE', 'not the name of a network', {
      hint: 'Use 1–64 small letters, digits and dashes, with no dash at either end.',
    });
  }
  const operators = [...new Set(attestedOperators)].sort();
  if (genesisSchema.shape.attestedOperators.safeParse(operators).success) return;
  throw new AppError('USAGE', 'the attested operators are not all wallets, or too many', {
    hint: 'Name each by the address of its wallet: 0x and 40 lower-case hex digits.',
  });
}

/** Coordinators are named by the genesis document, which nobody can change. */
async function assertCoordinator({ roles, dataDir }: NodeConfig, joined: Network): Promise<void> {
  if (!roles.includes('coordinator')) return;
  const own = existsSync(keyFileOf(dataDir)) ? await loadIdentity(dataDir) : null;
  if (own !== null && joined.genesis.coordinators.includes(own.nodeId)) return;
  throw new AppError('CONFIG_INVALID', 'the genesis document does not name this coordinator', {
    hint: 'Found the network on its coordinator: init --role coordinator --network-name NAME.',
  });
}

function refuseExisting(path: string): void {
  if (!existsSync(path)) return;
  throw new AppError('CONFLICT', `${path} is there already`, {
    hint: 'Change it with an editor, or give another folder with --data. Nothing was written.',
  });
}

async function requireSame(network: Network, path: string): Promise<void> {
  if ((await readNetworkFile(path)).id !== network.id) refuseExisting(path);
}

/** Appears whole or not at all. Throws CONFLICT where the name is taken. */
export async function writeNew(
  path: string,
  content: Uint8Array | string,
  mode: number,
): Promise<void> {
  const aside = `${path}.${randomBytes(8).toString('hex')}`;
  try {
    const file = await open(aside, 'wx', mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    // A link, unlike a rename, fails where the name is taken.
    await link(aside, path);
  } catch (thrown) {
    if ((thrown as { code?: string }).code === 'EEXIST') refuseExisting(path);
    throw AppError.from(thrown);
  } finally {
    await rm(aside, { force: true });
  }
}

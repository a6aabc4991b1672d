/**
 * Every setting of a node: where it stands in the file and the environment, what it is when nobody
 * sets it, and what it means. The loader, `init` and the tests of the documents read this one table.
 * No setting holds a secret: keys are files of their own.
 */
import { availableParallelism } from 'node:os';
import type { ConfigKey } from './config-schema.ts';
import {
  CACHE_BYTES_DEFAULT,
  OWNER_BYTES_DEFAULT,
  OWNER_OBJECTS_DEFAULT,
  REQUESTS_PER_MINUTE_DEFAULT,
} from './limits.ts';

export interface Setting {
  /** Table and key of the file. */
  readonly at: readonly [table: string, key: string];
  readonly env: string;
  /** A name that others chose; read only by a node that has roles. */
  readonly foreignEnv?: string;
  readonly fallback: unknown;
  /** One line for the file. */
  readonly about: string;
  /** What a value looks like where the fallback is none. */
  readonly example?: string;
}

/** In the order of the file. `dataDir` falls back to what `defaultDataDir` answers. */
export const SETTINGS: Readonly<Record<ConfigKey, Setting>> = {
  dataDir: {
    at: ['node', 'data_dir'],
    env: 'HELIXMESH_DATA',
    fallback: null,
    about: 'Everything that the node keeps. Not in the node.toml of a data folder.',
    example: '/srv/helixmesh',
  },
  roles: {
    at: ['node', 'roles'],
    env: 'HELIXMESH_ROLES',
    fallback: [],
    about:
      'Any of storage, custodian, compute, coordinator, seed. None: a machine that runs own jobs.',
  },
  listen: {
    at: ['node', 'listen'],
    env: 'HELIXMESH_LISTEN',
    fallback: null,
    about: 'Address and port for other nodes and for people.',
    example: '127.0.0.1:7400',
  },
  listenPublic: {
    at: ['node', 'listen_public'],
    env: 'HELIXMESH_LISTEN_PUBLIC',
    fallback: false,
    about: 'Whether that may be an address which other machines reach.',
  },
  endpoint: {
    at: ['node', 'endpoint'],
    env: 'HELIXMESH_ENDPOINT',
    fallback: null,
    about: 'What others dial, where that is not `listen`.',
    example: 'vault.example.org:7400',
  },
  nodeId: {
    at: ['node', 'id'],
    env: 'HELIXMESH_NODE_ID',
    foreignEnv: 'SEQUENTIAS_NODE_ID',
    fallback: null,
    about: 'Start with the key of this node only.',
    example: `node_${'0'.repeat(64)}`,
  },
  zone: {
    at: ['node', 'zone'],
    env: 'HELIXMESH_ZONE',
    fallback: null,
    about: 'Legal zone in which the machine stands.',
    example: 'EU',
  },
  location: {
    at: ['node', 'location'],
    env: 'HELIXMESH_LOCATION',
    foreignEnv: 'NODE_LOCATION',
    fallback: null,
    about: 'Degrees north and east, by which distances are estimated.',
    example: '52.52,13.40',
  },
  operator: {
    at: ['node', 'operator'],
    env: 'HELIXMESH_OPERATOR',
    foreignEnv: 'NODE_OPERATOR_WALLET',
    fallback: null,
    about: 'Address of the wallet that answers for the node.',
    example: `0x${'0'.repeat(40)}`,
  },
  cores: {
    at: ['node', 'cores'],
    env: 'HELIXMESH_CORES',
    fallback: availableParallelism(),
    about: 'Cores that all tools together may use.',
  },
  coordinator: {
    at: ['network', 'coordinator'],
    env: 'HELIXMESH_COORDINATOR',
    fallback: null,
    about: 'Where the node registers; it needs node.operator then.',
    example: `node_${'0'.repeat(64)}@coordinator.example.org:7400`,
  },
  cacheBytes: {
    at: ['compute', 'cache_bytes'],
    env: 'HELIXMESH_CACHE_BYTES',
    fallback: CACHE_BYTES_DEFAULT,
    about: 'Disk for sealed reads that were fetched, so that they are fetched once; 0 keeps none.',
  },
  ownerBytes: {
    at: ['limits', 'owner_bytes'],
    env: 'HELIXMESH_OWNER_BYTES',
    fallback: OWNER_BYTES_DEFAULT,
    about: 'Bytes that one owner may keep in the vault.',
  },
  ownerObjects: {
    at: ['limits', 'owner_objects'],
    env: 'HELIXMESH_OWNER_OBJECTS',
    fallback: OWNER_OBJECTS_DEFAULT,
    about: 'Objects that one owner may keep in the vault.',
  },
  accounts: {
    at: ['limits', 'accounts'],
    env: 'HELIXMESH_ACCOUNTS',
    fallback: [],
    about: 'Wallets of those who may keep data in the vault and submit jobs here. None: anybody.',
    example: `0x${'0'.repeat(40)}`,
  },
  priceCoreHour: {
    at: ['prices', 'core_hour_micro_usd'],
    env: 'HELIXMESH_PRICE_CORE_HOUR',
    fallback: 0,
    about: 'One core for an hour, in millionths of a dollar, as all prices.',
  },
  priceGpuHour: {
    at: ['prices', 'gpu_hour_micro_usd'],
    env: 'HELIXMESH_PRICE_GPU_HOUR',
    fallback: 0,
    about: 'One GPU for an hour.',
  },
  priceTransferGib: {
    at: ['prices', 'transfer_gib_micro_usd'],
    env: 'HELIXMESH_PRICE_TRANSFER_GIB',
    fallback: 0,
    about: 'One GiB that comes in or goes out.',
  },
  priceStorageGibMonth: {
    at: ['prices', 'storage_gib_month_micro_usd'],
    env: 'HELIXMESH_PRICE_STORAGE_GIB_MONTH',
    fallback: 0,
    about: 'One GiB kept for 30 days.',
  },
  metrics: {
    at: ['middleware', 'metrics'],
    env: 'HELIXMESH_METRICS',
    fallback: true,
    about: 'Prometheus text at /metrics of the local socket.',
  },
  metricsListen: {
    at: ['middleware', 'metrics_listen'],
    env: 'HELIXMESH_METRICS_LISTEN',
    fallback: null,
    about: 'Loopback address where Prometheus may scrape them by HTTP too.',
    example: '127.0.0.1:9464',
  },
  auth: {
    at: ['middleware', 'auth'],
    env: 'HELIXMESH_AUTH',
    fallback: true,
    about: 'Requests from the network are signed and checked. Cannot be turned off.',
  },
  rateLimit: {
    at: ['middleware', 'rate_limit'],
    env: 'HELIXMESH_RATE_LIMIT',
    fallback: REQUESTS_PER_MINUTE_DEFAULT,
    about: 'Requests in a minute of one key, and of one address.',
  },
  compression: {
    at: ['middleware', 'compression'],
    env: 'HELIXMESH_COMPRESSION',
    fallback: false,
    about: 'Cannot be turned on: sealed data does not shrink.',
  },
  tracing: {
    at: ['middleware', 'tracing'],
    env: 'HELIXMESH_TRACING',
    fallback: false,
    about: 'Cannot be turned on: there is none yet.',
  },
  limitsFactor: {
    at: ['sandbox', 'limits_factor'],
    env: 'HELIXMESH_LIMITS_FACTOR',
    fallback: 1,
    about: 'Multiplies the memory, processes and disk that a tool may use.',
  },
  logLevel: {
    at: ['log', 'level'],
    env: 'HELIXMESH_LOG_LEVEL',
    fallback: 'info',
    about: 'silent, fatal, error, warn, info, debug or trace.',
  },
  restateIngressUrl: {
    at: ['restate', 'ingress_url'],
    env: 'HELIXMESH_RESTATE_INGRESS_URL',
    fallback: null,
    about: 'A Restate server of your own instead of the embedded one: both URLs or neither.',
    example: 'http://127.0.0.1:8080',
  },
  restateAdminUrl: {
    at: ['restate', 'admin_url'],
    env: 'HELIXMESH_RESTATE_ADMIN_URL',
    fallback: null,
    about: 'Its administration.',
    example: 'http://127.0.0.1:9070',
  },
  restateIdentityKey: {
    at: ['restate', 'identity_key'],
    env: 'HELIXMESH_RESTATE_IDENTITY_KEY',
    fallback: null,
    about: 'Public key with which that server signs its calls.',
    example: 'publickeyv1_w7YHemBctH5Ck2nQRQ47iBBqhNHy4FV7t2Usbye2A6f',
  },
};

export const CONFIG_KEYS = Object.keys(SETTINGS) as ConfigKey[];

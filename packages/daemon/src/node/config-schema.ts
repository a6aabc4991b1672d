/** What the settings of a node may be, value by value. What they mean together is in `config.ts`. */
import { NODE_ID_PATTERN } from '@helixmesh/protocol';
import type { NodeRole } from '@helixmesh/protocol/sealing';
import { z } from 'zod';
import { readEndpoint } from './endpoint.ts';
import {
  ACCOUNTS_MAX,
  OWNER_OBJECTS_MAX,
  PRICE_MAX_MICRO_USD,
  REQUESTS_PER_MINUTE_MAX,
} from './limits.ts';

export const ROLES = [
  'storage',
  'custodian',
  'compute',
  'coordinator',
  'seed',
] as const satisfies readonly NodeRole[];

const engineUrl = z.url({ protocol: /^https?$/ });
/** A truth value, as the environment has it too. */
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]);
/** A list; in the environment parted by commas. */
const listOf = <T extends z.ZodType>(item: T) =>
  z.preprocess(
    (value) => (typeof value === 'string' ? value.split(',').map((text) => text.trim()) : value),
    z.array(item),
  );
const endpoint = z
  .string()
  .refine((text) => readEndpoint(text) !== undefined, 'must be host:port, as 127.0.0.1:7400');
const price = z.coerce.number().int().min(0).max(PRICE_MAX_MICRO_USD);
const ADDRESS_PATTERN = /^node_[0-9a-f]{64}@[^@\s]{1,300}$/;

const WALLET = /^0x[0-9a-f]{40}$/;

export const configSchema = z.strictObject({
  dataDir: z.string().min(1),
  roles: listOf(z.enum(ROLES, { error: `unknown role; known: ${ROLES.join(', ')}` })).refine(
    (roles) => new Set(roles).size === roles.length,
    'a role is named twice',
  ),
  listen: endpoint.nullable(),
  listenPublic: flag,
  endpoint: endpoint.nullable(),
  nodeId: z
    .string()
    .regex(NODE_ID_PATTERN, 'must be node_ and 64 hex digits: the public key of identity/node.key')
    .nullable(),
  zone: z
    .string()
    .regex(/^[A-Z]{2}(-[A-Z0-9]{1,3})?$/, 'must be a legal zone, as EU, MX or US-CA')
    .nullable(),
  location: z
    .string()
    .refine((text) => readLocation(text) !== undefined, {
      error: 'must be degrees north and east, as 19.43,-99.13',
    })
    .nullable(),
  operator: z
    .string()
    .regex(WALLET, 'must be the address of a wallet, 0x and 40 lower-case hex digits')
    .nullable(),
  cores: z.coerce.number().int().min(1).max(1024),
  coordinator: z
    .string()
    .regex(ADDRESS_PATTERN, 'must be node_<64 hex digits>@host:port')
    .nullable(),
  cacheBytes: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  ownerBytes: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  ownerObjects: z.coerce.number().int().min(0).max(OWNER_OBJECTS_MAX),
  accounts: listOf(
    z.string().regex(WALLET, 'must be addresses of wallets, 0x and 40 lower-case hex digits'),
  ).refine(({ length }) => length <= ACCOUNTS_MAX, `at most ${ACCOUNTS_MAX} wallets`),
  priceCoreHour: price,
  priceGpuHour: price,
  priceTransferGib: price,
  priceStorageGibMonth: price,
  metrics: flag,
  metricsListen: endpoint.nullable(),
  auth: flag.refine((isOn) => isOn, 'requests are always signed and checked; leave it true'),
  rateLimit: z.coerce.number().int().min(1).max(REQUESTS_PER_MINUTE_MAX),
  compression: flag.refine((isOn) => !isOn, 'sealed data does not shrink; leave it false'),
  tracing: flag.refine((isOn) => !isOn, 'there is none yet; leave it false'),
  limitsFactor: z.coerce.number().min(0.1).max(1000),
  logLevel: z.enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace']),
  restateIngressUrl: engineUrl.nullable(),
  restateAdminUrl: engineUrl.nullable(),
  restateIdentityKey: z.string().startsWith('publickeyv1_').nullable(),
});
export type NodeConfig = Readonly<z.infer<typeof configSchema>>;
export type ConfigKey = keyof NodeConfig;

export interface Degrees {
  readonly latitude: number;
  readonly longitude: number;
}

/** A location from `north,east` in degrees; undefined for text that is none. */
export function readLocation(text: string): Degrees | undefined {
  const [, north, east] =
    /^(-?\d{1,2}(?:\.\d{1,6})?), ?(-?\d{1,3}(?:\.\d{1,6})?)$/.exec(text) ?? [];
  const latitude = Number(north);
  const longitude = Number(east);
  if (north === undefined || Math.abs(latitude) > 90 || Math.abs(longitude) > 180) return undefined;
  return { latitude, longitude };
}

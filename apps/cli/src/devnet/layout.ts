/**
 * Which nodes a network on one machine has. Decided once, when it is made: ports and names stay, so
 * that addresses that were given out go on to hold.
 *
 *   coordinator, vault[-n], compute-n     as many as were asked for
 *   owner                                 a person's custodian, beside them
 */
import { createServer } from 'node:net';
import { AppError } from '@helixmesh/protocol';
import { z } from 'zod';
import { NODES_MAX, NODES_MIN } from './limits.ts';

export const OWNER = 'owner';
export const COORDINATOR = 'coordinator';

const nodeSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,30}$/),
  role: z.enum(['coordinator', 'storage', 'compute', 'custodian']),
  port: z.int().min(1).max(65_535),
  /** Null where it stands does not matter. */
  zone: z.string().nullable(),
  /** Degrees north and east. */
  location: z.string().nullable(),
});
export const layoutSchema = z.strictObject({ v: z.literal(1), nodes: z.array(nodeSchema).min(1) });
export type DevnetNode = z.infer<typeof nodeSchema>;
export type Layout = z.infer<typeof layoutSchema>;

export interface Wished {
  /** The coordinator, vaults and compute nodes together. */
  readonly nodes: number;
  readonly vaults: number;
  /** The first port; 0 takes free ones. */
  readonly port: number;
}

/** Where nodes of a devnet say that they are, in turn. */
const PLACES = [
  { zone: 'MX', location: '19.43,-99.13' },
  { zone: 'US-CA', location: '37.77,-122.42' },
  { zone: 'EU', location: '52.52,13.40' },
] as const;

/** Throws USAGE for a network that cannot be. */
export async function planLayout({ nodes, vaults, port }: Wished): Promise<Layout> {
  const isWhole = [nodes, vaults, port].every(Number.isInteger);
  if (!isWhole || nodes < NODES_MIN || nodes > NODES_MAX || vaults < 1 || vaults > nodes - 1) {
    throw new AppError('USAGE', `no network has ${nodes} nodes, ${vaults} of them vaults`, {
      hint: `Give ${NODES_MIN} to ${NODES_MAX} nodes: a coordinator, a vault or more, then compute nodes.`,
    });
  }
  if (port + nodes > 65_535) {
    throw new AppError('USAGE', `there are not ${nodes + 1} ports from ${port} on`, {
      hint: 'Give a lower --port, or 0 for free ones.',
    });
  }
  const ports = port === 0 ? await freePorts(nodes + 1) : undefined;
  const nameOf = (role: string, count: number, i: number) =>
    count === 1 ? role : `${role}-${i + 1}`;
  const computes = nodes - 1 - vaults;
  const planned: readonly Omit<DevnetNode, 'port'>[] = [
    { name: COORDINATOR, role: 'coordinator', zone: null, location: null },
    ...Array.from({ length: vaults }, (_, i) => ({
      name: nameOf('vault', vaults, i),
      role: 'storage' as const,
      ...placeOf(i),
    })),
    ...Array.from({ length: computes }, (_, i) => ({
      name: `compute-${i + 1}`,
      role: 'compute' as const,
      ...placeOf(i),
    })),
    { name: OWNER, role: 'custodian', zone: null, location: null },
  ];
  return {
    v: 1,
    nodes: planned.map((node, i) => ({ ...node, port: ports?.[i] ?? port + i })),
  };
}

function placeOf(i: number) {
  return PLACES[i % PLACES.length] ?? PLACES[0];
}

/** Ports that nobody listens on now, held together so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  try {
    return await Promise.all(
      servers.map(async (server) => {
        const listening = Promise.withResolvers<void>();
        server.once('error', listening.reject).listen(0, '127.0.0.1', listening.resolve);
        await listening.promise;
        const address = server.address();
        return typeof address === 'object' && address !== null ? address.port : 0;
      }),
    );
  } catch (thrown) {
    throw AppError.from(thrown);
  } finally {
    for (const server of servers) server.close();
  }
}

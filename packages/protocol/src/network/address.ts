/**
 * Addresses of nodes: `node_<64 hex>@host:port`. The key is in the address, as in SSH with a pinned
 * host key: who connects asks for that key, whatever name or number the machine has.
 */
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { NODE_ID_PATTERN, type NodeId } from '../ids.ts';

export interface NodeAddress {
  readonly nodeId: NodeId;
  /** A name, an IPv4 address, or an IPv6 address without brackets; each in its one spelling. */
  readonly host: string;
  readonly port: number;
}

/** Node id and key differ in nothing but the prefix. */
const PREFIX = 'node_';
/** A longer name is none (RFC 1035 §2.3.4). */
const HOST_CHARS_MAX = 253;
const NAME = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;
const ADDRESS = /^(node_[0-9a-f]{64})@(\[[0-9a-f:.]{2,45}\]|[a-z0-9.-]{1,253}):([1-9][0-9]{0,4})$/;

export const nodeIdFieldSchema = z.string().regex(NODE_ID_PATTERN) as unknown as z.ZodType<NodeId>;

export const endpointSchema = z.strictObject({
  host: z.string().max(HOST_CHARS_MAX).refine(isHost),
  port: z.int().min(1).max(65_535),
});
export type Endpoint = z.infer<typeof endpointSchema>;

/** An address as text, as it stands in requests and documents. */
export const nodeAddressTextSchema = z
  .string()
  .max(PREFIX.length + 64 + 1 + HOST_CHARS_MAX + 6)
  .refine((text) => read(text) !== undefined);

/** Throws USAGE for text that is no address. */
export function parseNodeAddress(text: string): NodeAddress {
  const address = read(text);
  if (address !== undefined) return address;
  throw new AppError('USAGE', `not the address of a node: ${JSON.stringify(text.slice(0, 100))}`, {
    hint: 'Give node_<64 hex digits>@host:port, as `helixmesh up` prints it.',
  });
}

export function formatNodeAddress({ nodeId, host, port }: NodeAddress): string {
  return `${nodeId}@${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** The node of an Ed25519 public key in hex. */
export function nodeIdOf(publicKeyHex: string): NodeId {
  return `${PREFIX}${publicKeyHex}` as NodeId;
}

/** A node's Ed25519 public key in hex. */
export function nodeKeyOf(nodeId: NodeId): string {
  return nodeId.slice(PREFIX.length);
}

function read(text: string): NodeAddress | undefined {
  const [, nodeId, host = '', port = ''] = ADDRESS.exec(text) ?? [];
  if (nodeId === undefined) return undefined;
  const endpoint = {
    host: host.startsWith('[') ? host.slice(1, -1) : host,
    port: Number(port),
  };
  const isBracketed = host.startsWith('[') === endpoint.host.includes(':');
  if (!isBracketed || !endpointSchema.safeParse(endpoint).success) return undefined;
  return { nodeId: nodeId as NodeId, ...endpoint };
}

/** A name or an address that a URL would not spell otherwise: `127.1` and `[0:0::1]` are refused. */
function isHost(host: string): boolean {
  const isIpv6 = host.includes(':');
  if (!isIpv6 && !NAME.test(host)) return false;
  const written = isIpv6 ? `[${host}]` : host;
  return URL.canParse(`http://${written}`) && new URL(`http://${written}`).hostname === written;
}

/**
 * What a seed tells newcomers, who know its address and nothing else: the genesis document of the
 * network, and where its nodes are. Neither makes anybody trusted: the id of the network is the hash of
 * the genesis document, and each address holds the key that its node has to show. What a seed can do is
 * leave nodes out, or name places where nobody answers.
 */
import { z } from 'zod';
import { fromBase64, fromHex } from '../bytes.ts';
import type { Crypto } from '../crypto/port.ts';
import { KEY_BYTES } from '../crypto/port.ts';
import type { Digest, NodeId } from '../ids.ts';
import {
  COORDINATORS_MAX,
  GENESIS_BYTES_MAX,
  NODE_LIST_BYTES_MAX,
  SEED_NODES_MAX,
} from '../limits.ts';
import { keySignedSchema, networkId, parseDocument, verifyWithKey } from '../signing/document.ts';
import { base64Of, digestSchema, timeMsSchema, zoneSchema } from '../signing/fields.ts';
import { nodeAddressTextSchema, nodeIdFieldSchema, nodeKeyOf } from './address.ts';
import { type Genesis, parseGenesis } from './genesis.ts';

export const NODE_LIST_TYPE = 'helixmesh/node-list/v1';

/** Custodians are people's own processes: nobody lists them. */
export const LISTED_ROLES = ['coordinator', 'storage', 'compute', 'seed'] as const;

const nodeListSchema = z.strictObject({
  type: z.literal(NODE_LIST_TYPE),
  network: digestSchema,
  /** The seed, whose key has signed it. */
  nodeId: nodeIdFieldSchema,
  /** `node_…@host:port`; the genesis document says which keys are coordinators. */
  coordinators: z.array(nodeAddressTextSchema).max(COORDINATORS_MAX),
  nodes: z
    .array(
      z.strictObject({
        address: nodeAddressTextSchema,
        roles: z.array(z.enum(LISTED_ROLES)).min(1),
        /** As its operator has signed. */
        zones: z.array(zoneSchema).max(100),
      }),
    )
    .max(SEED_NODES_MAX),
  /** When a coordinator was last heard; 0 where none has been. */
  heardAtMs: timeMsSchema,
});
export type NodeList = z.infer<typeof nodeListSchema>;

const seedReplySchema = z.strictObject({
  /** Canonical bytes. */
  genesis: base64Of(GENESIS_BYTES_MAX),
  /** The signed list. */
  nodes: base64Of(NODE_LIST_BYTES_MAX),
});
export type SeedReply = z.infer<typeof seedReplySchema>;

export interface Seeded {
  readonly network: Digest;
  readonly genesis: Genesis;
  readonly list: NodeList;
}

/**
 * What a seed has said, or why it does not count: it is of another network than `expected`, which null
 * leaves open, or its list is not its own. Throws INPUT_MALFORMED.
 */
export function readSeed(
  crypto: Crypto,
  reply: SeedReply,
  { seed, expected }: { readonly seed: NodeId; readonly expected: Digest | null },
): Seeded | 'network' | 'list' {
  const genesis = parseGenesis(fromBase64(reply.genesis, 'a genesis document'));
  const network = networkId(crypto, genesis);
  if (expected !== null && network !== expected) return 'network';
  const options = { what: 'a list of nodes', maxBytes: NODE_LIST_BYTES_MAX };
  const bytes = fromBase64(reply.nodes, 'a list of nodes');
  const signed = parseDocument(keySignedSchema(nodeListSchema), bytes, options);
  const publicKey = fromHex(nodeKeyOf(seed), { what: 'a key', bytes: KEY_BYTES });
  const verdict = verifyWithKey(crypto, signed, { network, publicKey });
  if (verdict.status === 'invalid' || signed.document.nodeId !== seed) return 'list';
  return { network, genesis, list: signed.document };
}

const none = z.strictObject({});

export const SEED_ROUTES = {
  /** For newcomers, who are in no network yet and sign nothing. */
  getSeed: {
    method: 'GET',
    path: '/api/v1/seed',
    params: none,
    query: none,
    body: null,
    reply: seedReplySchema,
    signedBy: 'nobody',
    scope: null,
  },
} as const;

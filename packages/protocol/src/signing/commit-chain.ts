/**
 * The chain of countersignatures: a coordinator puts commits and reveals into one order and signs
 * each place in it, so that it can say neither later nor differently who was first.
 *
 * Invariants
 * H1  An entry names the one before it; numbers rise by one from 0, and times never fall.
 * H2  An entry holds ids alone. That of a reveal is over a random salt, so it tells no result.
 */
import { z } from 'zod';
import type { Crypto } from '../crypto/port.ts';
import type { Digest, NodeId } from '../ids.ts';
import { ATTEMPT_STATEMENT_BYTES_MAX } from '../limits.ts';
import { nodeIdFieldSchema } from '../network/address.ts';
import { keySignedSchema, parseDocument, type Signed, verifyWithKey } from './document.ts';
import { attemptIdSchema, digestSchema, taskIdSchema, timeMsSchema } from './fields.ts';
import { keyOfNode } from './key-of-node.ts';

export const CHAIN_ENTRY_TYPE = 'helixmesh/commit-chain-entry/v1';

export const chainEntrySchema = z
  .strictObject({
    type: z.literal(CHAIN_ENTRY_TYPE),
    network: digestSchema,
    /** Whose chain it is, and whose key has signed it. */
    coordinator: nodeIdFieldSchema,
    sequence: z.int().min(0),
    /** Id of the entry before it; null for the first. */
    previous: digestSchema.nullable(),
    kind: z.enum(['commit', 'reveal']),
    taskId: taskIdSchema,
    attemptId: attemptIdSchema,
    /** Id of the node's signed statement or reveal. */
    statement: digestSchema,
    atMs: timeMsSchema,
  })
  .refine((entry) => (entry.sequence === 0) === (entry.previous === null), { path: ['previous'] });
export type ChainEntry = z.infer<typeof chainEntrySchema>;

/** A signed entry from its canonical bytes. Throws INPUT_MALFORMED. */
export function parseChainEntry(bytes: Uint8Array): Signed<ChainEntry> {
  const options = { what: 'a countersignature', maxBytes: ATTEMPT_STATEMENT_BYTES_MAX };
  return parseDocument(keySignedSchema(chainEntrySchema), bytes, options);
}

export type ChainVerdict =
  | { readonly status: 'valid'; readonly last: Digest | null }
  | {
      readonly status: 'invalid';
      /** Place in the list that was given. */
      readonly index: number;
      readonly reason: 'network' | 'signature' | 'coordinator' | 'order';
    };

/** Whether a coordinator has signed these entries, in this order, one right behind the other. */
export function verifyChain(
  crypto: Crypto,
  entries: readonly Signed<ChainEntry>[],
  { network, coordinator }: { readonly network: Digest; readonly coordinator: NodeId },
): ChainVerdict {
  const expected = { network, publicKey: keyOfNode(coordinator) };
  let before: { readonly entry: ChainEntry; readonly id: Digest } | undefined;
  for (const [index, signed] of entries.entries()) {
    const entry = signed.document;
    const verdict = verifyWithKey(crypto, signed, expected);
    if (verdict.status === 'invalid') return { ...verdict, index };
    if (entry.coordinator !== coordinator) {
      return { status: 'invalid', index, reason: 'coordinator' };
    }
    if (before !== undefined && !isNext(before, entry)) {
      return { status: 'invalid', index, reason: 'order' };
    }
    before = { entry, id: verdict.id };
  }
  return { status: 'valid', last: before?.id ?? null };
}

function isNext(
  { entry, id }: { readonly entry: ChainEntry; readonly id: Digest },
  next: ChainEntry,
): boolean {
  return next.sequence === entry.sequence + 1 && next.previous === id && next.atMs >= entry.atMs;
}

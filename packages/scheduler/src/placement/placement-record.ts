/**
 * The record of a decision as its coordinator signs it: about which task of which job it was made,
 * and in it everything that led to the choice. Whoever has it decides again and compares.
 *
 * Like the decision it is for the parties, and never part of a log or of the public record.
 */
import type { Digest, NodeId } from '@helixmesh/protocol';
import {
  type Crypto,
  digestSchema,
  fromHex,
  KEY_BYTES,
  keySignedSchema,
  nodeKeyOf,
  parseDocument,
  type Signed,
  taskIdSchema,
  verifyWithKey,
} from '@helixmesh/protocol/sealing';
import { z } from 'zod';
import { nodeIdSchema } from '../ids.ts';
import { DECISION_MAX_BYTES } from '../limits.ts';
import { decisionSchema, replay } from './decision.ts';

export const PLACEMENT_TYPE = 'helixmesh/placement/v1';

export const placementSchema = z
  .strictObject({
    type: z.literal(PLACEMENT_TYPE),
    network: digestSchema,
    /** Whose key has signed it. */
    coordinator: nodeIdSchema,
    /** Id of the job's document. */
    job: digestSchema,
    taskId: taskIdSchema,
    decision: decisionSchema,
  })
  .refine(({ taskId, decision }) => decision.request.taskId === taskId, { path: ['taskId'] });
export type Placement = z.infer<typeof placementSchema>;

/** A signed record from its canonical bytes. Throws INPUT_MALFORMED. */
export function parsePlacement(bytes: Uint8Array): Signed<Placement> {
  const options = { what: 'a record of a placement', maxBytes: DECISION_MAX_BYTES };
  return parseDocument(keySignedSchema(placementSchema), bytes, options);
}

export type PlacementVerdict =
  | { readonly status: 'valid'; readonly id: Digest }
  | {
      readonly status: 'invalid';
      /** `replay`: from the recorded facts something else follows; `differing` says for whom. */
      readonly reason: 'network' | 'signature' | 'coordinator' | 'replay';
      readonly differing: readonly NodeId[];
    };

/** Whether that coordinator has signed the record, and its choice follows from what stands in it. */
export function verifyPlacement(
  crypto: Crypto,
  signed: Signed<Placement>,
  { network, coordinator }: { readonly network: Digest; readonly coordinator: NodeId },
): PlacementVerdict {
  const key = { what: 'a node id', bytes: KEY_BYTES };
  const publicKey = fromHex(nodeKeyOf(coordinator), key);
  const verdict = verifyWithKey(crypto, signed, { network, publicKey });
  if (verdict.status === 'invalid') return { ...verdict, differing: [] };
  if (signed.document.coordinator !== coordinator) {
    return { status: 'invalid', reason: 'coordinator', differing: [] };
  }
  const { isSame, differing } = replay(signed.document.decision);
  return isSame ? verdict : { status: 'invalid', reason: 'replay', differing };
}

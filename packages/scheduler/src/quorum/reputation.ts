/**
 * Reputation of a node for one tool set: a node that maps reads well may still have a broken caller.
 *
 *   R1  Any wrong result sets the row of right ones back to zero; after three, the node is banned
 *       for the tool set and no right result lifts the ban.
 *   R2  Only a result that another operator's result was compared with counts as right.
 */
import { canonicalJson } from '@helixmesh/protocol';
import { z } from 'zod';
import { nodeIdSchema } from '../ids.ts';
import { INVALID_MAX, TOOLS_MAX } from '../limits.ts';

/** Letters of the longest tool set: name, version and punctuation of each tool. */
const TOOL_SET_MAX_CHARS = TOOLS_MAX * 136;

/** Canonical JSON of tool names and exact versions. */
export const toolSetSchema = z.string().min(2).max(TOOL_SET_MAX_CHARS);

export const reputationSchema = z.strictObject({
  nodeId: nodeIdSchema,
  toolSet: toolSetSchema,
  /** Right results since the last wrong one. */
  consecutiveValid: z.int().min(0),
  /** Wrong results ever. */
  invalid: z.int().min(0),
});
export type Reputation = z.infer<typeof reputationSchema>;

/** What a finished task says about one replica; `none` for one that gave no result in time. */
export const VERDICTS = ['valid', 'invalid', 'none'] as const;
export type Verdict = (typeof VERDICTS)[number];

export function toolSetOf(toolVersions: Readonly<Record<string, string>>): string {
  return canonicalJson(toolVersions);
}

/** The reputation after one verdict. `isCompared`: at least two operators' results were compared. */
export function applyVerdict(
  reputation: Reputation,
  { verdict, isCompared }: { readonly verdict: Verdict; readonly isCompared: boolean },
): Reputation {
  switch (verdict) {
    case 'invalid':
      return { ...reputation, consecutiveValid: 0, invalid: reputation.invalid + 1 };
    case 'valid':
      if (!isCompared) return reputation;
      return { ...reputation, consecutiveValid: reputation.consecutiveValid + 1 };
    case 'none':
      return reputation;
  }
}

export function isBanned({ invalid }: Reputation): boolean {
  return invalid >= INVALID_MAX;
}

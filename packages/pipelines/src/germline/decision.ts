/** What the pipeline decides on after alignment: a small document made by `summarize-alignment`. */
import { AppError, type Json } from '@helixmesh/protocol';
import { z } from 'zod';
import { depthText } from '../report/format.ts';
import type { Caller } from './call-step.ts';
import type { GermlineParameters } from './input.ts';
import { AUTO_CALLER_DEPTH, CALLABLE_MIN_DEPTH } from './limits.ts';

export const DECISION_VERSION = 1;

const ratio = z.number().min(0).nullable();

export const sexCallSchema = z.strictObject({
  karyotype: z.enum(['XX', 'XY', 'undetermined', 'not applicable']),
  basis: z.enum(['given', 'inferred', 'not determined']),
  xRatio: ratio,
  yRatio: ratio,
  reason: z.string(),
});

export const decisionSchema = z.strictObject({
  formatVersion: z.literal(DECISION_VERSION),
  /** Over all bases of the reference, N included. */
  meanDepth: z.number().min(0),
  /** Mean depth of the bases covered at least CALLABLE_MIN_DEPTH times; 0 when there are none. */
  callableDepth: z.number().min(0),
  readsAligned: z.int().min(0),
  sex: sexCallSchema,
});
export type Decision = z.infer<typeof decisionSchema>;

export function parseDecision(value: Json): Decision {
  const parsed = decisionSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new AppError('INTERNAL', `decision.json: ${parsed.error.issues[0]?.message}`);
}

export interface CallerChoice {
  readonly caller: Caller;
  /** One sentence for the report. */
  readonly reason: string;
}

/**
 * `auto` goes by the depth where there is coverage, so that a panel on a whole genome counts as
 * deep: below AUTO_CALLER_DEPTH bcftools, else freebayes.
 */
export function chooseCaller(
  wanted: GermlineParameters['caller'],
  { callableDepth }: Pick<Decision, 'callableDepth'>,
): CallerChoice {
  if (wanted !== 'auto') return { caller: wanted, reason: `${wanted} was chosen by the user.` };
  const caller = callableDepth < AUTO_CALLER_DEPTH ? 'bcftools' : 'freebayes';
  const side = caller === 'bcftools' ? 'below' : 'not below';
  return {
    caller,
    reason:
      `Mean depth of bases covered at least ${CALLABLE_MIN_DEPTH}× is ` +
      `${depthText(callableDepth)}, ${side} ${AUTO_CALLER_DEPTH}×.`,
  };
}

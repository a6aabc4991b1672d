/**
 * `context.json`: what the report says that no other file of the task holds. It stands in the
 * task's specification, so the report's date and methods are part of its key.
 */
import { AppError } from '@helixmesh/protocol';
import { z } from 'zod';
import { methodsSchema, reportModelSchema, sampleSchema } from './model.ts';

export const reportContextSchema = z.strictObject({
  provenanceDigest: reportModelSchema.shape.provenanceDigest,
  reportedAt: reportModelSchema.shape.reportedAt,
  sample: sampleSchema.omit({ coveredFraction: true, layout: true }),
  reference: reportModelSchema.shape.reference,
  caller: reportModelSchema.shape.caller,
  methods: methodsSchema,
});
export type ReportContext = z.infer<typeof reportContextSchema>;

/** INTERNAL: the pipeline writes it, so a fault is ours. */
export function parseReportContext(value: unknown): ReportContext {
  const parsed = reportContextSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new AppError('INTERNAL', `context.json: ${issue?.path.join('.')}: ${issue?.message}`);
}

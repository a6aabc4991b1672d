/**
 * The report model: everything that the PDF and the HTML page say, as one JSON document. Both are
 * pure functions of it, so the same model gives the same bytes.
 *
 * Invariants
 *   R1  Nothing is read from the clock or the machine: date, versions and digests stand in here.
 *   R2  Classifications are quoted from ClinVar, never made.
 *   R3  `formatVersion` changes with any change that a reader of the JSON can see.
 */
import { AppError, DIGEST_PATTERN, SAMPLE_ID_PATTERN } from '@helixmesh/protocol';
import { z } from 'zod';
import { sexCallSchema } from '../germline/decision.ts';
import { findingsSchema } from '../germline/findings.ts';
import { MAX_TEXT_LETTERS } from './limits.ts';
import { lowCoverageSchema } from './model-low-coverage.ts';
import { qcSchema } from './model-qc.ts';

export const REPORT_FORMAT_VERSION = 2;

const text = z.string().max(MAX_TEXT_LETTERS);
const named = text.min(1);
const digest = z.string().regex(DIGEST_PATTERN);

export const sampleSchema = z.strictObject({
  id: z.string().regex(SAMPLE_ID_PATTERN),
  layout: z.enum(['paired', 'single']),
  sex: sexCallSchema,
  /** Share of the reference's bases covered at least once. */
  coveredFraction: z.number().min(0).max(1),
  inputs: z.array(z.strictObject({ name: named, digest })).max(1000),
});

export const methodsSchema = z.strictObject({
  steps: z
    .array(
      z.strictObject({
        title: named,
        /** Programs with exact versions. */
        tools: z.array(z.strictObject({ name: named, version: named })).max(20),
        description: named,
        /** The main parameters as typed, or null. */
        command: text.nullable(),
      }),
    )
    .max(50),
  sources: z
    .array(z.strictObject({ name: named, release: named.nullable(), digest, usedFor: named }))
    .max(50),
});
export type ReportMethods = z.infer<typeof methodsSchema>;

export const reportModelSchema = z.strictObject({
  format: z.literal('helixmesh.germline-report'),
  formatVersion: z.literal(REPORT_FORMAT_VERSION),
  /** Digest over inputs, parameters, reference and tool versions: what made this report. */
  provenanceDigest: digest,
  /** UTC to the second, e.g. `2026-03-14T09:26:53Z`. Given from outside. */
  reportedAt: z.iso.datetime({ precision: 0 }),
  sample: sampleSchema,
  reference: z.strictObject({
    name: named,
    digest,
    contigs: z.int().positive(),
    lengthBases: z.int().positive(),
  }),
  caller: z.strictObject({ name: named, version: named, reason: named }),
  findings: findingsSchema,
  qc: qcSchema,
  lowCoverage: lowCoverageSchema.nullable(),
  methods: methodsSchema,
  limitations: z.array(named).min(1).max(50),
});
export type ReportModel = z.infer<typeof reportModelSchema>;

/** The checked model; INPUT_MALFORMED names the first field that is wrong. */
export function parseReportModel(value: unknown): ReportModel {
  const result = reportModelSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue === undefined ? 'model' : issue.path.join('.') || 'model';
  throw new AppError('INPUT_MALFORMED', `report model: ${where}: ${issue?.message}`, {
    hint: `Render a model of format version ${REPORT_FORMAT_VERSION}, made by this release.`,
  });
}

/** The short id that people read out: the first twelve digits of the provenance digest. */
export function reportId(model: Pick<ReportModel, 'provenanceDigest'>): string {
  const digits = model.provenanceDigest.slice('sha256:'.length, 'sha256:'.length + 12);
  return `HMR-${digits.toUpperCase().replace(/(.{4})(?=.)/g, '$1-')}`;
}

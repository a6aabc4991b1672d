export * from './builtins.ts';
export * from './canonical/canonical-digest.ts';
export * from './conservation/check-reads.ts';
export * from './conservation/primary-records.ts';
export * from './evaluate/compare-sites.ts';
export * from './evaluate/evaluate.ts';
export * from './evaluate/schema.ts';
export * from './evaluate/sites-tsv.ts';
export * from './formats/fai.ts';
export * from './formats/gzip/bgzf.ts';
export * from './formats/gzip/bgzf-writer.ts';
export * from './formats/gzip/lines.ts';
export * from './formats/region.ts';
export * from './formats/vcf.ts';
export * from './germline/annotate-step.ts';
export * from './germline/findings.ts';
export * from './germline/input.ts';
export * from './germline/pipeline.ts';
export * from './germline/shard-plan.ts';
export { STAGE_PIPELINES } from './germline/stages.ts';
export type { ReadsSummary } from './intake/fastq-input.ts';
export { INTAKE_OUTPUT, type IntakeSummary } from './intake/intake.ts';
export * from './provenance/ro-crate.ts';
export {
  type AddReferenceContext,
  type AddReferenceOptions,
  addReference,
  type ReferenceProgress,
} from './reference/add.ts';
export { bundleDigest, manifestSchema, type ReferenceManifest } from './reference/manifest.ts';
export {
  listReferences,
  openReference,
  type ReferenceListing,
  readManifest,
} from './reference/store.ts';
export * from './report/report-step.ts';
export { reportTask } from './report/report-task.ts';
export {
  type SimulationOptions,
  type SimulationOptionsInput,
  simulationOptionsSchema,
} from './simulate/options.ts';
export {
  type PlantedTruth,
  type SimulationManifest,
  type SimulationRequest,
  simulate,
} from './simulate/simulate.ts';
export * from './task/builtin.ts';
export * from './task/key.ts';
export * from './task/spec.ts';
export * from './task/worker-job.ts';
export * from './tools/catalogue.ts';
export * from './tools/probe.ts';
export * from './workflow/journal.ts';
export * from './workflow/memory.ts';
export * from './workflow/port.ts';

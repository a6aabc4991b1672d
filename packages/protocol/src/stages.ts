/**
 * The parts of one analysis that can be done apart: a job that is spread over nodes has one task for
 * each of them, a job that is not has the whole.
 *
 *   align → call.1 … call.N → finish        whole = all of it on one machine
 *
 * Each hands its files to the next by their path; `finish` hands over what the whole would.
 */
import { z } from 'zod';
import { AppError } from './errors.ts';
import { DIGEST_PATTERN, type Digest } from './ids.ts';

/** Most parts that the calls of one sample are spread over. */
export const SPREAD_MAX = 64;

/** Of how many parts the calls are. */
export const spreadSchema = z.int().min(1).max(SPREAD_MAX);

/** The shards j of the plan with j % count = index − 1. */
export const callPartSchema = z
  .strictObject({ index: spreadSchema, count: spreadSchema })
  .refine(({ index, count }) => index <= count, 'a part has an index of 1 to their count');
export type CallPart = Readonly<z.infer<typeof callPartSchema>>;

export const analysisStageSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('whole') }),
  z.strictObject({ kind: z.literal('align') }),
  z.strictObject({ kind: z.literal('call'), part: callPartSchema }),
  z.strictObject({ kind: z.literal('finish'), parts: spreadSchema }),
]);
export type AnalysisStage = Readonly<z.infer<typeof analysisStageSchema>>;

/** The task of a job that does this stage. */
export function taskOfStage(stage: AnalysisStage): string {
  if (stage.kind === 'whole') return 'main';
  return stage.kind === 'call' ? `call.${stage.part.index}` : stage.kind;
}

/** All stages of a job that is spread over `spread` parts, each after those that it needs. */
export function stagesOf(spread: number): readonly AnalysisStage[] {
  if (spread === 1) return [{ kind: 'whole' }];
  const calls = Array.from({ length: spread }, (_, i) => {
    return { kind: 'call', part: { index: i + 1, count: spread } } as const;
  });
  return [{ kind: 'align' }, ...calls, { kind: 'finish', parts: spread }];
}

/** Tasks whose files a stage is given. */
export function tasksBefore(stage: AnalysisStage): readonly string[] {
  if (stage.kind === 'call') return ['align'];
  if (stage.kind !== 'finish') return [];
  return ['align', ...Array.from({ length: stage.parts }, (_, i) => `call.${i + 1}`)];
}

/**
 * Over how many parts a job is spread, as its parameter `spread` says: 1 where it says nothing. Throws
 * USAGE for what is no such number.
 */
export function spreadOf(parameters: Readonly<Record<string, unknown>>): number {
  const parsed = spreadSchema.safeParse(parameters['spread'] ?? 1);
  if (parsed.success) return parsed.data;
  throw new AppError('USAGE', 'the spread of a job is no number of parts', {
    hint: `Give a whole number from 1 to ${SPREAD_MAX}.`,
  });
}

/** What a task of a job does. NOT_FOUND for a name that no job of this spread has. */
export function stageOfTask(name: string, spread: number): AnalysisStage {
  const stage = stagesOf(spread).find((each) => taskOfStage(each) === name);
  if (stage !== undefined) return stage;
  throw new AppError('NOT_FOUND', `a job spread over ${spread} has no task of this name`);
}

/** A file that an earlier stage has made, as its node stated it and its replicas agreed. */
export const stagedFileSchema = z.strictObject({
  /** Task that made it, e.g. `call.3`. */
  task: z.string().max(20),
  /** Path under which that task delivered it. */
  path: z.string().max(200),
  /** Of its canonical content, as agreed; a file of another content is refused before it is used. */
  digest: z.string().regex(DIGEST_PATTERN) as unknown as z.ZodType<Digest>,
});
export type StagedFileName = Readonly<z.infer<typeof stagedFileSchema>>;

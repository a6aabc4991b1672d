import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AppError } from '@helixmesh/protocol';
import { taskKey } from '../task/key.ts';
import type { TaskSpec } from '../task/spec.ts';
import { JOURNAL_VALUE_MAX_BYTES, type PipelineResult } from '../workflow/port.ts';
import type { StagedFile } from './input.ts';
import { germlineAlign, germlineCall, germlineFinish } from './stages.ts';
import {
  type Case,
  HUMAN,
  inputOf,
  OUTPUT_DIGEST,
  run,
  runPipeline,
} from './testing/pipeline-bench.ts';

/** What a stage hands over. */
function handedOver(task: string, { deliverables }: PipelineResult): StagedFile[] {
  return deliverables.map(({ path }) => {
    return { task, name: path, digest: OUTPUT_DIGEST, sizeBytes: 1, location: `/${task}/${path}` };
  });
}

/** The stages on machines of their own, the calls in `count` parts. */
async function runSpread(given: Case, count: number) {
  const { reads, ...input } = inputOf(given);
  const align = await runPipeline(germlineAlign, { ...input, reads }, given);
  const staged = handedOver('align', align.result);
  const parts: Awaited<ReturnType<typeof run>>[] = [];
  for (let index = 1; index <= count; index++) {
    const callInput = { ...input, reads: null, staged, part: { index, count } };
    parts.push(await runPipeline(germlineCall, callInput, given));
  }
  const all = [...staged, ...parts.flatMap(({ result }, i) => handedOver(`call.${i + 1}`, result))];
  const finishInput = { ...input, reads: null, staged: all, parts: count };
  const finish = await runPipeline(germlineFinish, finishInput, given);
  return { align, parts, finish, finishInput };
}

const called = (specs: readonly TaskSpec[]) =>
  specs.filter(({ name }) => name.startsWith('call.')).map(({ name }) => name);
/** The steps after the barrier: the same specifications, so the same work. */
const keysAfter = (specs: readonly TaskSpec[]) =>
  specs
    .filter(({ name }) => !['intake', 'align'].includes(name) && !name.startsWith('call.'))
    .map((spec) => `${spec.name} ${taskKey(spec)}`);

test('spread over any number of parts, a job has the hash, the files and the steps of one machine', async () => {
  const contigs = HUMAN.filter(({ name }) => ['chr21', 'chrX', 'chrY', 'chrM'].includes(name));
  for (const karyotype of ['XX', 'XY'] as const) {
    const given = { contigs, karyotype, shardTargetBases: 60_000_000 };
    const whole = await run(given);
    for (const count of [1, 3, 9]) {
      const { parts, finish } = await runSpread(given, count);
      assert.equal(finish.result.jobHash, whole.result.jobHash);
      const paths = (result: PipelineResult) => result.deliverables.map(({ path }) => path);
      assert.deepEqual(paths(finish.result), paths(whole.result));
      assert.deepEqual(finish.result.summary, whole.result.summary);
      assert.deepEqual(keysAfter(finish.specs), keysAfter(whole.specs));
      const shards = parts.flatMap(({ specs }) => called(specs));
      assert.deepEqual(shards.toSorted(), called(whole.specs).toSorted());
      assert.deepEqual(called(finish.specs), called(whole.specs));
      const sizes = parts.map(({ specs }) => called(specs).length);
      assert.ok(count > 4 ? sizes.includes(0) : !sizes.includes(0), sizes.join());
    }
  }
});

test('a stage that takes files over runs none of the tools that made them', async () => {
  const { parts, finish } = await runSpread({}, 3);
  const tools = (specs: readonly TaskSpec[]) =>
    specs.flatMap((spec) => Object.keys(spec.toolVersions));
  for (const { specs } of [...parts, finish]) {
    assert.ok(!tools(specs).some((tool) => ['fastp', 'bwa'].includes(tool)));
    for (const spec of specs) {
      assert.ok(JSON.stringify(spec).length < JOURNAL_VALUE_MAX_BYTES, spec.name);
    }
  }
  assert.ok(!tools(finish.specs).includes('freebayes'));
});

test('what is taken over must have the content that was agreed on, but for what is made anew', async () => {
  const { finish } = await runSpread({}, 2);
  const imports = finish.specs.filter(({ commands: [first] }) => {
    return first?.kind === 'builtin' && first.name === 'import-files';
  });
  assert.equal(imports.length, 2 + called(finish.specs).length);
  for (const { name, outputs } of imports) {
    for (const output of outputs) {
      const wanted = output.format === 'index' ? undefined : OUTPUT_DIGEST;
      assert.equal(output.expected, wanted, `${name} ${output.name}`);
    }
  }
});

test('a crash at any journal entry of a stage gives the same result', async () => {
  const contigs = HUMAN.filter(({ name }) => ['chr21', 'chrX'].includes(name));
  const given = { contigs, shardTargetBases: 60_000_000 };
  const { finish, finishInput } = await runSpread(given, 2);
  let crashes = 0;
  for (let crashAt = 1; ; crashAt++) {
    const again = await runPipeline(germlineFinish, finishInput, { ...given, crashAt });
    assert.deepEqual(again.result, finish.result);
    if (!again.hasCrashed) break;
    crashes += 1;
  }
  assert.ok(crashes > 20, `${crashes} crashes`);
});

test('parts that were called on another decision are refused', async () => {
  const given = { contigs: HUMAN.filter(({ name }) => name === 'chr21') };
  const { finishInput } = await runSpread(given, 2);
  const staged = finishInput.staged.map((file) => {
    const isOther = file.task === 'call.2' && file.name === 'decision.json';
    return isOther ? { ...file, digest: finishInput.reference.digest } : file;
  });
  await assert.rejects(runPipeline(germlineFinish, { ...finishInput, staged }, given), /decision/);
});

test('a stage without a file of those before it says which one', async () => {
  const given = { contigs: HUMAN.filter(({ name }) => name === 'chr21') };
  const { finishInput } = await runSpread(given, 1);
  for (const lacking of ['intake.json', 'aligned.bam', 'shard-1.calls.vcf.gz']) {
    const staged = finishInput.staged.filter(({ name }) => name !== lacking);
    await assert.rejects(
      runPipeline(germlineFinish, { ...finishInput, staged }, given),
      (error: AppError) => error.message.includes(lacking),
    );
  }
});

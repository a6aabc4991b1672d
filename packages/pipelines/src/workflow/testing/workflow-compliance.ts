/**
 * What every adapter of the `Workflow` port must do, as `node:test` cases. An adapter's own test
 * calls `workflowCompliance(name, factory)`; the suite brings pipelines and effects, the factory
 * an engine over those effects.
 *
 * An engine may need real time for `sleep`; the suite sleeps a few milliseconds where it must pass
 * and a minute where it must not.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AppError, type Digest, type Json, parseDigest, type TaskKey } from '@helixmesh/protocol';
import type { TaskResult, TaskSpec } from '../../task/spec.ts';
import type { EngineEffects, RunOutcome, RunRequest } from '../memory.ts';
import { JOURNAL_VALUE_MAX_BYTES, type Pipeline, type Workflow } from '../port.ts';

const NO_HASH = parseDigest(`sha256:${'0'.repeat(64)}`);

export interface ComplianceEngine extends AsyncDisposable {
  /**
   * Runs a job to its end. With `crashAt` the engine stops, as if killed, once so many of the
   * job's journal entries exist (or effects, where entries cannot be counted) and answers
   * `crashed`; a second `run` of the same job id goes on from the journal.
   */
  run<Input>(request: RunRequest<Input>): Promise<RunOutcome>;
  signal(jobId: string, name: string, value: Json): Promise<void>;
}

export type ComplianceFactory = (effects: Required<EngineEffects>) => Promise<ComplianceEngine>;

export interface ComplianceOptions {
  /** False for an engine that retries for ever where a pipeline changed its order of calls. */
  readonly failsOnChangedOrder?: boolean;
}

/** More journal entries than any pipeline of the suite makes. */
const MAX_ENTRIES = 60;

export function workflowCompliance(
  name: string,
  factory: ComplianceFactory,
  { failsOnChangedOrder = true }: ComplianceOptions = {},
): void {
  describe(`${name} upholds the Workflow port`, () => {
    test('operations run in the order of their calls and give their values', () =>
      valuesInOrder(factory));
    test('a crash after any journal entry changes nothing and repeats nothing finished', () =>
      crashEverywhere(factory));
    test('parallel tasks all run, and a crash repeats none that was recorded', () =>
      crashInParallel(factory));
    test('race answers with the first to finish, on replay too', () => raceReplays(factory));
    test('a signal sent before or while it is awaited arrives, once', () => signals(factory));
    test('time and chance are the same on replay', () => timeAndChance(factory));
    test('sleep lasts at least as long as asked', () => sleeps(factory));
    test('a value above the limit fails the job with INTERNAL', () => tooLarge(factory));
    test('a task that fails gives its code to the pipeline, which may go on', () =>
      failures(factory));
    test('jobs do not see each other', () => isolation(factory));
    const skip = failsOnChangedOrder ? false : 'this engine holds such a job for its operator';
    test('a pipeline that asks in another order on replay fails', { skip }, () =>
      changedOrder(factory),
    );
  });
}

/** Effects that note what was started; a published task answers without running again. */
function createWorld() {
  const started: string[] = [];
  const events = new Map<string, Json>();
  const effects: Required<EngineEffects> = {
    runTask: async (spec) => {
      started.push(spec.name);
      await Promise.resolve();
      if (spec.name.startsWith('fail')) throw new AppError('TOOL_FAILED', 'the tool failed');
      if (spec.name.startsWith('slow')) await new Promise((done) => setTimeout(done, 300));
      return resultOf(spec.name);
    },
    readOutput: async ({ output }) => {
      started.push(`read ${output}`);
      return { output };
    },
    emit: async ({ jobId, name, payload }) => {
      events.set(`${jobId} ${name}`, payload);
    },
  };
  return { started, events, effects };
}

function resultOf(name: string): TaskResult {
  const digest = `sha256:${Buffer.from(name).toString('hex').padEnd(64, '0')}`;
  return {
    key: digest as TaskKey,
    outputs: { out: { digest: digest as Digest, sizeBytes: name.length } },
  };
}

function specOf(name: string): TaskSpec {
  return {
    name,
    pool: 'qc',
    inputs: [{ kind: 'text', name: 'name.txt', text: name }],
    commands: [],
    outputs: [{ name: 'out', format: 'text', retention: 'result' }],
    toolVersions: {},
    resources: { cores: 1, memoryMib: 1 },
  };
}

/** A pipeline whose summary is what `body` returns. */
function pipelineOf(name: string, body: (workflow: Workflow) => Promise<Json>): Pipeline<null> {
  return {
    name,
    version: 1,
    run: async (workflow) => ({
      jobHash: NO_HASH,
      deliverables: [],
      summary: { value: await body(workflow) },
    }),
  };
}

function summaryValue(outcome: RunOutcome): Json {
  assert.equal(outcome.status, 'completed', JSON.stringify(outcome));
  return outcome.status === 'completed' ? (outcome.result.summary['value'] ?? null) : null;
}

const sequential = pipelineOf('sequential', async (workflow) => {
  const first = await workflow.task(specOf('first'));
  const read = await workflow.readJson({ task: first.key, output: 'out' });
  const step = await workflow.step('double', () => 21 * 2);
  await workflow.emit('half', { done: 1 });
  const second = await workflow.task(specOf('second'));
  return [first.key, read, step, second.key];
});
const SEQUENTIAL_VALUE = [resultOf('first').key, { output: 'out' }, 42, resultOf('second').key];

async function valuesInOrder(factory: ComplianceFactory): Promise<void> {
  const { effects, started, events } = createWorld();
  await using engine = await factory(effects);
  const outcome = await engine.run({ jobId: 'order-1', pipeline: sequential, input: null });
  assert.deepEqual(summaryValue(outcome), SEQUENTIAL_VALUE);
  assert.deepEqual(started, ['first', 'read out', 'second']);
  assert.deepEqual([...events], [['order-1 half', { done: 1 }]]);
}

/** Crashes at each entry in turn, then goes on; answers how many crashes there were. */
async function forEachCrash(
  factory: ComplianceFactory,
  pipeline: Pipeline<null>,
  check: (world: ReturnType<typeof createWorld>, value: Json) => void,
): Promise<void> {
  let crashes = 0;
  for (let crashAt = 1; crashAt <= MAX_ENTRIES; crashAt++) {
    const world = createWorld();
    await using engine = await factory(world.effects);
    const request = { jobId: `crash-${pipeline.name}-${crashAt}`, pipeline, input: null };
    const outcome = await engine.run({ ...request, crashAt });
    if (outcome.status !== 'crashed') {
      check(world, summaryValue(outcome));
      break;
    }
    crashes += 1;
    check(world, summaryValue(await engine.run(request)));
  }
  assert.ok(crashes > 0 && crashes < MAX_ENTRIES, `${crashes} crashes`);
}

async function crashEverywhere(factory: ComplianceFactory): Promise<void> {
  await forEachCrash(factory, sequential, ({ started, events }, value) => {
    assert.deepEqual(value, SEQUENTIAL_VALUE);
    // At most the one that was under way when it crashed began twice.
    assert.ok(started.length <= 4, started.join());
    assert.deepEqual([...new Set(started)], ['first', 'read out', 'second']);
    assert.equal(events.size, 1);
  });
}

async function crashInParallel(factory: ComplianceFactory): Promise<void> {
  const names = ['a', 'b', 'c', 'd'];
  const pipeline = pipelineOf('parallel', async (workflow) => {
    await workflow.task(specOf('before'));
    const results = await workflow.all(names.map((each) => workflow.task(specOf(each))));
    await workflow.task(specOf('after'));
    return results.map(({ key }) => key);
  });
  await forEachCrash(factory, pipeline, ({ started }, value) => {
    assert.deepEqual(
      value,
      names.map((each) => resultOf(each).key),
    );
    for (const each of ['before', ...names, 'after']) {
      const times = started.filter((name) => name === each).length;
      assert.ok(times === 1 || times === 2, `${each} began ${times} times`);
    }
    assert.ok(started.filter((name) => name === 'before').length <= 2);
    assert.equal(started.at(-1), 'after');
  });
}

/** After a crash both tasks may be done already, and either may win; but only one, for good. */
async function raceReplays(factory: ComplianceFactory): Promise<void> {
  const pipeline = pipelineOf('race', async (workflow) => {
    const slow = workflow.task(specOf('slow'));
    const quick = workflow.task(specOf('quick'));
    const winner = await workflow.race([slow, quick]);
    const kept = await workflow.step('kept', () => winner.key);
    await workflow.all([slow, quick]);
    await workflow.step('later', () => null);
    return [winner.key, kept];
  });
  const keys: readonly Json[] = [resultOf('slow').key, resultOf('quick').key];
  let isSeen = false;
  for (let crashAt = 1; crashAt <= MAX_ENTRIES && !isSeen; crashAt++) {
    await using engine = await factory(createWorld().effects);
    const request = { jobId: `race-${crashAt}`, pipeline, input: null };
    const outcome = await engine.run({ ...request, crashAt });
    isSeen = outcome.status !== 'crashed';
    const value = summaryValue(isSeen ? outcome : await engine.run(request));
    const [winner, kept] = value as [Json, Json];
    assert.equal(winner, kept);
    assert.ok(keys.includes(winner));
    if (isSeen) assert.equal(winner, resultOf('quick').key);
  }
  assert.ok(isSeen);
}

async function signals(factory: ComplianceFactory): Promise<void> {
  const pipeline = pipelineOf('signal', async (workflow) => {
    const first = await workflow.signal<string>('approve');
    const again = await workflow.step('keep', () => first);
    return [first, again];
  });
  await using engine = await factory(createWorld().effects);
  const running = engine.run({ jobId: 'signal-1', pipeline, input: null });
  await engine.signal('signal-1', 'approve', 'yes');
  assert.deepEqual(summaryValue(await running), ['yes', 'yes']);
}

async function timeAndChance(factory: ComplianceFactory): Promise<void> {
  const seen: Json[] = [];
  const pipeline = pipelineOf('time', async (workflow) => {
    const early = [await workflow.now(), workflow.random(), workflow.random()];
    seen.push(early);
    await workflow.step('pause', () => null);
    return early;
  });
  for (let crashAt = 1; crashAt <= MAX_ENTRIES; crashAt++) {
    seen.length = 0;
    await using engine = await factory(createWorld().effects);
    const request = { jobId: `time-${crashAt}`, pipeline, input: null };
    const outcome = await engine.run({ ...request, crashAt });
    if (outcome.status !== 'crashed') break;
    const value = summaryValue(await engine.run(request));
    for (const each of seen) assert.deepEqual(each, value);
    const [, one, other] = value as readonly number[];
    assert.ok(one !== undefined && one >= 0 && one < 1 && one !== other);
  }
}

async function sleeps(factory: ComplianceFactory): Promise<void> {
  const pipeline = pipelineOf('sleep', async (workflow) => {
    const before = await workflow.now();
    await workflow.sleep(20);
    const after = await workflow.now();
    const winner = await workflow.race<unknown>([
      workflow.sleep(60_000),
      workflow.task(specOf('slow')),
    ]);
    assert.deepEqual(winner, resultOf('slow'));
    return after - before;
  });
  await using engine = await factory(createWorld().effects);
  const outcome = await engine.run({ jobId: 'sleep-1', pipeline, input: null });
  assert.ok((summaryValue(outcome) as number) >= 20);
}

async function tooLarge(factory: ComplianceFactory): Promise<void> {
  const pipeline = pipelineOf('large', (workflow) =>
    workflow.step('large', () => 'x'.repeat(JOURNAL_VALUE_MAX_BYTES + 1)),
  );
  await using engine = await factory(createWorld().effects);
  const outcome = await engine.run({ jobId: 'large-1', pipeline, input: null });
  assert.equal(outcome.status === 'failed' && outcome.error.code, 'INTERNAL');
}

async function failures(factory: ComplianceFactory): Promise<void> {
  const pipeline = pipelineOf('failure', async (workflow) => {
    const code = await workflow.task(specOf('fail-1')).then(
      () => 'none',
      (error: unknown) => AppError.from(error).code,
    );
    const next = await workflow.task(specOf('next'));
    return [code, next.key];
  });
  const fatal = pipelineOf('fatal', async (workflow) => {
    await workflow.task(specOf('fail-2'));
    return null;
  });
  await using engine = await factory(createWorld().effects);
  const value = summaryValue(await engine.run({ jobId: 'failure-1', pipeline, input: null }));
  assert.deepEqual(value, ['TOOL_FAILED', resultOf('next').key]);
  const outcome = await engine.run({ jobId: 'failure-2', pipeline: fatal, input: null });
  assert.equal(outcome.status === 'failed' && outcome.error.code, 'TOOL_FAILED');
}

async function isolation(factory: ComplianceFactory): Promise<void> {
  const pipeline = pipelineOf('isolated', async (workflow) => {
    const value = await workflow.signal<string>('value');
    return [value, workflow.random()];
  });
  await using engine = await factory(createWorld().effects);
  const jobs = ['isolated-1', 'isolated-2'];
  const running = jobs.map((jobId) => engine.run({ jobId, pipeline, input: null }));
  for (const jobId of jobs) await engine.signal(jobId, 'value', jobId);
  const values = (await Promise.all(running)).map((each) => summaryValue(each) as readonly Json[]);
  assert.deepEqual(
    values.map(([value]) => value),
    jobs,
  );
  assert.notEqual(values[0]?.[1], values[1]?.[1]);
}

async function changedOrder(factory: ComplianceFactory): Promise<void> {
  const of = (names: readonly string[]) =>
    pipelineOf('changed', async (workflow) => {
      for (const name of names) await workflow.step(name, () => name);
      return null;
    });
  await using engine = await factory(createWorld().effects);
  const request = { jobId: 'changed-1', input: null };
  const crashed = await engine.run({ ...request, pipeline: of(['a', 'b', 'c']), crashAt: 4 });
  assert.equal(crashed.status, 'crashed');
  const outcome = await engine.run({ ...request, pipeline: of(['b', 'a', 'c']) });
  assert.equal(outcome.status === 'failed' && outcome.error.code, 'INTERNAL');
}

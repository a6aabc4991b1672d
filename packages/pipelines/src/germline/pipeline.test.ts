import assert from 'node:assert/strict';
import { test } from 'node:test';
import { taskKey } from '../task/key.ts';
import type { TaskSpec } from '../task/spec.ts';
import { JOURNAL_VALUE_MAX_BYTES } from '../workflow/port.ts';
import { MAX_CONCAT_INPUTS } from './limits.ts';
import { HUMAN, run } from './testing/pipeline-bench.ts';

const textOf = (spec: TaskSpec | undefined, name: string) => {
  const input = spec?.inputs.find((each) => each.name === name);
  return input?.kind === 'text' ? input.text : null;
};

test('a human genome becomes tasks that a journal can hold, joined in the order of contigs', async () => {
  const { specs, names } = await run({ shardTargetBases: 5_000_000 });
  for (const spec of specs) {
    assert.ok(JSON.stringify(spec).length < JOURNAL_VALUE_MAX_BYTES, spec.name);
  }
  const calls = names.filter((name) => name.startsWith('call.'));
  assert.ok(calls.length > 500);
  assert.deepEqual(names.slice(0, 4), ['intake', 'align', 'low-coverage', 'call.chr1.1of49']);
  const joins = names.filter((name) => name.startsWith('join.'));
  assert.equal(joins.length, Math.ceil(calls.length / MAX_CONCAT_INPUTS));
  assert.deepEqual(names.slice(-4), ['merge', 'filter', 'annotate', 'report']);
});

test('Y is not called in XX, and one copy is expected outside of PAR in XY', async () => {
  const xx = await run({ karyotype: 'XX' });
  assert.ok(!xx.names.some((name) => name.startsWith('call.chrY')));
  assert.ok(xx.specs.every((spec) => textOf(spec, 'copies.bed') === null));
  const xy = await run({ karyotype: 'XY' });
  const [firstX] = xy.specs.filter(({ name }) => name.startsWith('call.chrX'));
  const end = 22_293_556;
  assert.equal(
    textOf(firstX, 'copies.bed'),
    `chrX\t0\t10000\tS1\t1\nchrX\t2781479\t${end}\tS1\t1\n`,
  );
  assert.ok(xy.names.some((name) => name.startsWith('call.chrY')));
});

test('the depth chooses the caller, and the mitochondrion is always called by fraction', async () => {
  const tool = (specs: readonly TaskSpec[], name: string) => {
    const [command] = specs.find((spec) => spec.name === name)?.commands ?? [];
    return command?.kind === 'tools' ? command.stages[0]?.tool : null;
  };
  const deep = await run({ callableDepth: 20 });
  const shallow = await run({ callableDepth: 19.9 });
  assert.equal(tool(deep.specs, 'call.chr22.1of2'), 'freebayes');
  assert.equal(tool(shallow.specs, 'call.chr22.1of2'), 'bcftools');
  for (const { specs } of [deep, shallow]) {
    assert.equal(tool(specs, 'call.chrM'), 'freebayes');
    const [call] = specs.find(({ name }) => name === 'call.chrM')?.commands ?? [];
    const args = call?.kind === 'tools' ? call.stages[0]?.args : [];
    assert.ok(args?.includes('--pooled-continuous'));
  }
});

test('single reads are aligned without mate steps', async () => {
  const { specs } = await run({ isPaired: false });
  const [command] = specs.find(({ name }) => name === 'align')?.commands ?? [];
  const stages = command?.kind === 'tools' ? command.stages : [];
  assert.ok(!stages.some(({ args }) => args.includes('fixmate') || args.includes('-p')));
});

test('a crash at any journal entry gives the same job hash, files and keys', async () => {
  const contigs = HUMAN.filter(({ name }) => ['chr21', 'chrX', 'chrM'].includes(name));
  const given = { contigs, shardTargetBases: 60_000_000 };
  const whole = await run(given);
  let crashes = 0;
  for (let crashAt = 1; ; crashAt++) {
    const { result, hasCrashed, specs } = await run({ ...given, crashAt });
    assert.deepEqual(result, whole.result);
    assert.deepEqual(new Set(specs.map(taskKey)), new Set(whole.specs.map(taskKey)));
    if (!hasCrashed) break;
    crashes += 1;
  }
  assert.ok(crashes > 20, `${crashes} crashes`);
});

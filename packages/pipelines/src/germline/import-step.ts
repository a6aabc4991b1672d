/**
 * Steps that another node has done: instead of running, their files are taken over, and what can be
 * made of them anew is not. Such a task has the name and the outputs of the step, so that all later
 * steps have the keys that they have on one machine.
 *
 *   I1  Every output but an index must have the canonical digest that was agreed on (`expected`).
 *   I2  An index is made of the file that it indexes: no digest tells whether another one is right.
 *   I3  The tiers of calls are told anew and must be those that were agreed on (tiers.ts).
 */
import { AppError, taskOfStage } from '@helixmesh/protocol';
import { IMPORT_FOLDER } from '../task/import-files.ts';
import type { Command, TaskOutput, TaskSpec } from '../task/spec.ts';
import type { ToolName } from '../tools/catalogue.ts';
import { ALIGN_OUTPUTS, ALIGNED_BAM } from './align-step.ts';
import { type Caller, type CallOptions, callStep, SHARD_CALLS } from './call-step.ts';
import type { StagedFile, StagedInput } from './input.ts';
import { INTAKE_JSON } from './intake-step.ts';
import type { NumberedShard } from './shard-plan.ts';
import { fileInput, result, versionsOf } from './task-parts.ts';
import { TIERS_JSON } from './tiers.ts';

const ALIGN = taskOfStage({ kind: 'align' });

/** What the stage `call` delivers of a shard: its calls, and their tiers. */
export const CALL_OUTPUTS: readonly TaskOutput[] = [
  result(SHARD_CALLS, 'vcf'),
  result(TIERS_JSON, 'json'),
];

/** Path under which an output of one shard is delivered, e.g. `shard-7.calls.vcf.gz`. */
export function shardPath({ number }: NumberedShard, output: string): string {
  return `shard-${number}.${output}`;
}

/** The call of a shard whose calls go to another node. */
export function callForOthersStep(options: CallOptions): TaskSpec {
  const step = callStep(options);
  const { toolVersions } = options.input;
  return {
    ...step,
    commands: [...step.commands, tellTiers(options.caller)],
    outputs: CALL_OUTPUTS,
    toolVersions: { ...step.toolVersions, ...versionsOf(toolVersions, ['helixmesh']) },
  };
}

export function importIntakeStep(input: StagedInput): TaskSpec {
  return importStep(input, {
    name: 'intake',
    pool: 'qc',
    outputs: [result(INTAKE_JSON, 'json')],
    from: ALIGN,
    pathOf: (output) => output,
    linked: [INTAKE_JSON],
    remade: [],
    tools: [],
  });
}

export function importAlignmentStep(input: StagedInput): TaskSpec {
  return importStep(input, {
    name: 'align',
    pool: 'align',
    outputs: ALIGN_OUTPUTS,
    from: ALIGN,
    pathOf: (output) => output,
    linked: ALIGN_OUTPUTS.filter(isCompared).map(({ name }) => name),
    remade: [
      {
        kind: 'tools',
        stages: [{ tool: 'samtools', args: ['index', '-@', '{threads}', ALIGNED_BAM] }],
      },
    ],
    tools: ['samtools'],
  });
}

export interface ImportCallsOptions {
  readonly input: StagedInput;
  readonly shard: NumberedShard;
  /** Task that has called it, e.g. `call.3`. */
  readonly from: string;
  readonly caller: Caller;
}

export function importCallsStep({ input, shard, from, caller }: ImportCallsOptions): TaskSpec {
  return importStep(input, {
    name: `call.${shard.name}`,
    pool: 'call',
    outputs: CALL_OUTPUTS,
    from,
    pathOf: (output) => shardPath(shard, output),
    linked: [SHARD_CALLS],
    remade: [tellTiers(caller)],
    tools: [],
  });
}

/** A step and where its outputs come from. */
interface Imported extends Pick<TaskSpec, 'name' | 'pool' | 'outputs'> {
  readonly from: string;
  readonly pathOf: (output: string) => string;
  /** Outputs that are taken as they are; the others are made by `remade`. */
  readonly linked: readonly string[];
  readonly remade: readonly Command[];
  readonly tools: readonly ToolName[];
}

/** Throws INPUT_NOT_FOUND when one of the files is not staged. */
function importStep({ staged, toolVersions }: StagedInput, step: Imported): TaskSpec {
  const { name, pool, outputs, from, pathOf, linked, remade, tools } = step;
  const fileOf = (output: string) => find(staged, from, pathOf(output));
  return {
    name,
    pool,
    inputs: linked.map((output) => fileInput(fileOf(output), `${IMPORT_FOLDER}/${output}`)),
    commands: [{ kind: 'builtin', name: 'import-files', args: { files: linked } }, ...remade],
    outputs: outputs.map((output) =>
      isCompared(output) ? { ...output, expected: fileOf(output.name).digest } : output,
    ),
    toolVersions: versionsOf(toolVersions, ['helixmesh', ...tools]),
    resources: { cores: 1, memoryMib: 512 },
  };
}

function isCompared({ format }: TaskOutput): boolean {
  return format !== 'index';
}

function find(staged: readonly StagedFile[], task: string, path: string): StagedFile {
  const found = staged.find((file) => file.task === task && file.name === path);
  if (found !== undefined) return found;
  throw new AppError('INPUT_NOT_FOUND', `${task} has handed over no ${path}`, {
    hint: 'Take over all files of the stages before this one.',
  });
}

function tellTiers(caller: Caller): Command {
  return { kind: 'builtin', name: 'tell-tiers', args: { calls: SHARD_CALLS, caller } };
}

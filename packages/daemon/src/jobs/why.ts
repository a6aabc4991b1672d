/** Why a step runs: what in its content key differs from the same step of an earlier job. */
import type { TaskInput, TaskSpec } from '@helixmesh/pipelines';

/** Longest list of reasons that is shown. */
const MAX_REASONS = 4;
/** Longest argument that is quoted. */
const MAX_ARGUMENT_CHARS = 60;

/** In words, for `status --why`. `earlier` is the latest other specification of this step. */
export function explainRun(spec: TaskSpec, earlier: TaskSpec | null): string {
  if (earlier === null) return 'first run of this step for this sample';
  const reasons = [
    ...inputChanges(spec, earlier),
    ...toolChanges(spec, earlier),
    ...commandChanges(spec, earlier),
  ];
  if (reasons.length === 0) return 'its declared outputs changed';
  const shown = reasons.slice(0, MAX_REASONS);
  const more = reasons.length - shown.length;
  return more === 0 ? shown.join('; ') : `${shown.join('; ')}; and ${more} more`;
}

function inputChanges(spec: TaskSpec, earlier: TaskSpec): string[] {
  const before = new Map(earlier.inputs.map((input) => [input.name, contentOf(input)]));
  const changed = spec.inputs
    .filter((input) => before.has(input.name) && before.get(input.name) !== contentOf(input))
    .map((input) => `input ${input.name} changed`);
  const added = spec.inputs
    .filter((input) => !before.has(input.name))
    .map((input) => `input ${input.name} is new`);
  const names = new Set(spec.inputs.map((input) => input.name));
  const removed = [...before.keys()]
    .filter((name) => !names.has(name))
    .map((name) => `input ${name} is gone`);
  return [...changed, ...added, ...removed];
}

function contentOf(input: TaskInput): string {
  return input.kind === 'text' ? input.text : input.digest;
}

function toolChanges(spec: TaskSpec, earlier: TaskSpec): string[] {
  const before = earlier.toolVersions as Readonly<Record<string, string>>;
  return Object.entries(spec.toolVersions)
    .filter(([tool, version]) => before[tool] !== version)
    .map(([tool, version]) => `${tool} ${before[tool] ?? 'not used'} → ${version}`);
}

function commandChanges(spec: TaskSpec, earlier: TaskSpec): string[] {
  const before = argumentsOf(earlier);
  const after = argumentsOf(spec);
  const added = after.filter((argument) => !before.includes(argument));
  const removed = before.filter((argument) => !after.includes(argument));
  if (added.length === 0 && removed.length === 0) {
    return before.join('\0') === after.join('\0') ? [] : ['the order of its arguments changed'];
  }
  return [`parameters changed: ${quote(removed)} → ${quote(added)}`];
}

function argumentsOf(spec: TaskSpec): string[] {
  return spec.commands.flatMap((command) =>
    command.kind === 'builtin'
      ? [command.name, ...Object.entries(command.args).map(([k, v]) => `${k}=${JSON.stringify(v)}`)]
      : command.stages.flatMap((stage) => [stage.tool, ...stage.args]),
  );
}

function quote(args: readonly string[]): string {
  const text = args.join(' ') || '(none)';
  return text.length <= MAX_ARGUMENT_CHARS ? text : `${text.slice(0, MAX_ARGUMENT_CHARS - 1)}…`;
}

/**
 * The files of a command whose reader's place tells how far the command is: those that its first
 * stage names and that are read from start to end.
 *
 * A file that comes with its index is read in places, so it does not count; nor does a text of the
 * specification, which is a list of regions or settings, nor what a stage behind the first one
 * names: it works at the pace of its pipe.
 */
import type { TaskSpec, ToolCommand } from '@helixmesh/pipelines';

const INDEX_ENDINGS = ['.bai', '.csi', '.tbi', '.fai'] as const;

/** Relative names in the working folder. */
export function streamedFiles(spec: TaskSpec, command: ToolCommand): readonly string[] {
  const inputs = new Set(spec.inputs.map(({ name }) => name));
  const isIndexed = (name: string) => INDEX_ENDINGS.some((ending) => inputs.has(name + ending));
  const data = [...spec.inputs.filter(({ kind }) => kind !== 'text'), ...spec.outputs];
  const known = new Set(data.map(({ name }) => name).filter((name) => !isIndexed(name)));
  const [first] = command.stages;
  return [...new Set(first?.args)].filter((arg) => known.has(arg));
}

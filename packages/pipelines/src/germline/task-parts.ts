/** Small helpers with which the steps build their specifications. */

import { AppError } from '@helixmesh/protocol';
import type { FileInput, OutputInput, TaskOutput, TaskResult, TaskSpec } from '../task/spec.ts';
import { BUILTIN_VERSION, installCommand, type ToolName } from '../tools/catalogue.ts';
import type { FileRef, ReferenceBundle, Region } from './input.ts';

/** The versions that stand in a job document. */
export type ToolVersions = Readonly<Record<string, string>>;

/** TOOL_MISSING when the job document lacks a tool that the step uses. */
export function versionsOf(
  all: ToolVersions,
  names: readonly ToolName[],
): TaskSpec['toolVersions'] {
  return Object.fromEntries(
    names.map((name) => {
      if (name === 'helixmesh') return [name, BUILTIN_VERSION];
      const version = all[name];
      if (version === undefined) {
        throw new AppError('TOOL_MISSING', `${name} was not usable when the job was submitted`, {
          hint: `Install it (${installCommand([name])}), then give the same command again.`,
        });
      }
      return [name, version];
    }),
  );
}

export function fileInput(file: FileRef, name: string = file.name): FileInput {
  return { kind: 'file', name, digest: file.digest, location: file.location };
}

/** INTERNAL when the task has no such output. */
export function outputInput(from: TaskResult, output: string, name: string = output): OutputInput {
  const record = from.outputs[output];
  if (record === undefined) throw new AppError('INTERNAL', `a task made no output ${output}`);
  return { kind: 'output', name, digest: record.digest, task: from.key, output };
}

/** Files of the bundle under their roles. REFERENCE_CORRUPT when one is missing. */
export function referenceInputs(
  reference: ReferenceBundle,
  roles: readonly string[],
): readonly FileInput[] {
  return roles.map((role) => {
    const file = reference.files[role];
    if (file === undefined) {
      throw new AppError('REFERENCE_CORRUPT', `the reference bundle has no file ${role}`, {
        hint: 'Prepare it again with `helixmesh reference add`.',
      });
    }
    return fileInput(file, role);
  });
}

/** BED is 0-based half-open too. */
export function bedText(regions: readonly Region[]): string {
  return regions.map(({ refName, start, end }) => `${refName}\t${start}\t${end}\n`).join('');
}

export function result(name: string, format: TaskOutput['format']): TaskOutput {
  return { name, format, retention: 'result' };
}

export function intermediate(name: string, format: TaskOutput['format']): TaskOutput {
  return { name, format, retention: 'intermediate' };
}

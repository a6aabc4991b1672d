/**
 * Content keys: of a task (what would be computed) and of a job (what would be delivered).
 *
 * Both are SHA-256 over LP(tag, canonical JSON), so that no two documents share their bytes. Node's
 * hash is used and not the protocol's `Crypto`: commands start without loading that.
 *
 * Invariants
 *   K1  Place, name, pool, resources, retention and the producing task are not in a task's key.
 *   K2  Everything else of a specification is: another name, byte, argument or version, another key.
 *   K3  A specification whose names could leave the working folder has no key.
 */
import { createHash } from 'node:crypto';
import {
  AppError,
  canonicalJson,
  type Digest,
  lengthPrefixed,
  type TaskKey,
} from '@helixmesh/protocol';
import type { TaskInput, TaskOutput, TaskSpec } from './spec.ts';

export const TASK_TAG = 'helixmesh/task/v1';
export const JOB_TAG = 'helixmesh/job/v1';

/** Longest relative name; the store adds its own prefix below PATH_MAX (4096). */
const MAX_NAME_LETTERS = 200;
const SEGMENT = /^[A-Za-z0-9_+=%@,][A-Za-z0-9._+=%@,-]*$/;

/** The key under which the outputs of `spec` are published. USAGE for an unsafe or doubled name. */
export function taskKey(spec: TaskSpec): TaskKey {
  checkSpecNames(spec);
  return hashDocument(TASK_TAG, {
    inputs: spec.inputs.map(keyOfInput).sort(byName),
    commands: spec.commands,
    outputs: spec.outputs.map(outputOf).sort(byName),
    toolVersions: spec.toolVersions,
  }) as string as TaskKey;
}

/** What decides a job's result. Two jobs with one hash must deliver the same canonical content. */
export interface JobDocument {
  readonly pipeline: string;
  readonly version: number;
  readonly sampleId: string;
  /** Digests of the decompressed reads, R1 then R2. */
  readonly reads: readonly Digest[];
  readonly reference: Digest;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly shardPlan: unknown;
  readonly toolVersions: Readonly<Record<string, string>>;
}

export function jobHash(document: JobDocument): Digest {
  return hashDocument(JOB_TAG, document);
}

/**
 * True for a relative name of plain segments: no `..`, no leading slash, dot or dash, no empty
 * segment, no white space or control character.
 */
export function isSafeRelativeName(name: string): boolean {
  if (name.length === 0 || name.length > MAX_NAME_LETTERS) return false;
  return name.split('/').every((segment) => SEGMENT.test(segment));
}

/** Throws USAGE unless every file name of `spec` is safe and each is declared once. */
export function checkSpecNames(spec: TaskSpec): void {
  const declared = [...spec.inputs, ...spec.outputs].map(({ name }) => name);
  const redirected = spec.commands.flatMap((command) =>
    command.kind === 'tools' && command.stdout !== undefined ? [command.stdout] : [],
  );
  for (const name of [...declared, ...redirected]) {
    if (!isSafeRelativeName(name)) throw nameError(name, 'is not a plain relative name');
  }
  const seen = new Set<string>();
  for (const name of declared) {
    if (seen.has(name)) throw nameError(name, 'is declared twice');
    seen.add(name);
  }
}

function nameError(name: string, why: string): AppError {
  return new AppError('USAGE', `file name ${JSON.stringify(name.slice(0, 100))} ${why}`, {
    hint: 'Name each file of a task once, by letters, digits and ._+=%@,- without leading dot or dash.',
  });
}

interface KeyedInput {
  readonly name: string;
  readonly text?: string;
  readonly digest?: Digest;
}

function keyOfInput(input: TaskInput): KeyedInput {
  return input.kind === 'text'
    ? { name: input.name, text: input.text }
    : { name: input.name, digest: input.digest };
}

/** `expected` stands in no document where it is left out. */
function outputOf({ name, format, expected }: TaskOutput) {
  return { name, format, expected };
}

function byName(left: { readonly name: string }, right: { readonly name: string }): number {
  if (left.name === right.name) return 0;
  return left.name < right.name ? -1 : 1;
}

function hashDocument(tag: string, document: unknown): Digest {
  const bytes = lengthPrefixed(tag, canonicalJson(document));
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

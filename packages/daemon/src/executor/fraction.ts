/**
 * How far an attempt is, 0–1, from how far its commands are. Pure.
 *
 * F1  It never falls: what was told before is the least that is told.
 * F2  Null means that nothing can be told; a guess is not made.
 * F3  Below 1 as long as the attempt runs: the outputs are still to be checked and published.
 */
import type { Command, ToolName } from '@helixmesh/pipelines';

/** A file that a command reads from its start to its end. */
export interface FileReading {
  /** Offset of the reader that is farthest, bytes; 0 when nobody has it open. */
  readonly position: number;
  readonly sizeBytes: number;
}

export interface CommandShare {
  readonly weight: number;
  /** 0–1; null when the command has not begun, or how far it is cannot be told. */
  readonly done: number | null;
}

/** What an attempt that still runs says at most. */
const RUNNING_MAX = 0.99;

/**
 * Work of the tools that take much longer than one pass over their input; all else weighs 1. A wrong
 * weight only makes the bar uneven.
 */
const TOOL_WEIGHTS: Readonly<Partial<Record<ToolName, number>>> = { bwa: 20, minimap2: 8 };

export function weightOf(command: Command): number {
  if (command.kind === 'builtin') return 1;
  return Math.max(1, ...command.stages.map(({ tool }) => TOOL_WEIGHTS[tool] ?? 1));
}

/** The part of all bytes that has been read; null while none has been seen to be. */
export function readFraction(files: readonly FileReading[]): number | null {
  const total = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const read = files.reduce((sum, file) => sum + Math.min(file.position, file.sizeBytes), 0);
  return read === 0 ? null : read / total;
}

/** The attempt's fraction now, after `before` was told of it. */
export function attemptFraction(
  commands: readonly CommandShare[],
  before: number | null,
): number | null {
  if (commands.every(({ done }) => done === null)) return before;
  const total = commands.reduce((sum, { weight }) => sum + weight, 0);
  const done = commands.reduce((sum, each) => sum + each.weight * (each.done ?? 0), 0);
  return Math.max(before ?? 0, Math.min(RUNNING_MAX, done / total));
}

/**
 * Turns the end of a command into an error that says what to do. Messages never quote what a tool
 * wrote: it may hold read names; that stays in the attempt's standard error tail.
 */
import type { Stage } from '@helixmesh/pipelines';
import type { ErrorCode, ErrorRecord } from '@helixmesh/protocol';
import type { CommandEnd, StageEnd } from './run-command.ts';
import type { TaskLimits } from './sandbox/limits-of-task.ts';
import type { Refused } from './sandbox/sandbox.ts';

export interface Diagnosis {
  readonly error: ErrorRecord;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly failedStage: string | null;
  /** The culprit's standard error. */
  readonly stderr: string;
}

/** What was so on the machine when the command ended. */
export interface Circumstances {
  readonly isDiskFull: boolean;
  readonly limits: TaskLimits;
  /** Which limit of the sandbox was met, or null. */
  readonly refused: Refused | null;
}

interface KnownMessage {
  readonly pattern: RegExp;
  readonly code?: ErrorCode;
  readonly hint: string;
}

const HINT_DISK_FULL = 'Free disk space, then `helixmesh resume` the job.';
const HINT_MEMORY = 'Close other programs or run fewer tasks at once, then resume the job.';
const HINT_REFERENCE = 'Prepare the reference again with `helixmesh reference add`.';
const HINT_READS =
  'Check the FASTQ files: copy them again from their source and compare checksums.';
const HINT_LOGS = 'Read `helixmesh logs` for what the tool said.';

const KNOWN_MESSAGES: readonly KnownMessage[] = [
  {
    pattern: /No space left on device|Disk quota exceeded|ENOSPC/,
    code: 'DISK_FULL',
    hint: HINT_DISK_FULL,
  },
  {
    pattern: /Cannot allocate memory|std::bad_alloc|OutOfMemoryError|[Oo]ut of memory/,
    hint: HINT_MEMORY,
  },
  // bwa mem and minimap2.
  { pattern: /paired reads have different names/, code: 'MATES_UNEQUAL', hint: HINT_READS },
  { pattern: /fail to locate the index|fail to open file.*\.(bwt|sa|pac)/, hint: HINT_REFERENCE },
  // fastp.
  {
    pattern: /sequence and quality have different length|igzip: |FASTQ.*invalid/i,
    hint: HINT_READS,
  },
  // samtools and bcftools.
  {
    pattern: /EOF marker is absent|truncated file|Truncated|unexpected end of file/,
    hint: 'A file between two steps is damaged: check the disk, then resume the job.',
  },
  {
    pattern: /not indexed|Could not load .*index|fai_(load|build)|Failed to (open|load) .*\.fai/,
    hint: HINT_REFERENCE,
  },
  {
    pattern: /(contig|sequence|chromosome).*(not found|not defined|does not exist|mismatch)/i,
    hint: 'Use a reference and annotation of the same assembly and the same contig names.',
  },
  // freebayes.
  { pattern: /could not open .*fasta|unable to find FASTA index/i, hint: HINT_REFERENCE },
  // SnpEff.
  {
    pattern: /Cannot read .*snpEff\.config|Database .* not (found|installed)/,
    hint: HINT_REFERENCE,
  },
];

/** Exit statuses of a shell that could not start a command. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

/** Null when every stage and the shell ended well. */
export function diagnose(
  stages: readonly Stage[],
  end: CommandEnd,
  circumstances: Circumstances,
): Diagnosis | null {
  const culprit = findCulprit(stages, end);
  if (culprit === null) return whenRefused(stages, end, circumstances);
  const stage = stages[culprit.stage];
  const name = stage?.tool ?? null;
  const stderr = (stage && end.stderr[culprit.stage]) || end.shellStderr;
  const fields = {
    exitCode: culprit.exitCode,
    signal: culprit.signal,
    failedStage: name,
    stderr,
  };
  const all = [...end.stderr, end.shellStderr].join('\n');
  const error = classify({ name: name ?? 'the command', culprit, stderr, all, ...circumstances });
  return { ...fields, error };
}

/**
 * A tool that ended well although the kernel killed a part of it, or refused it a process, may have
 * made half of its output.
 */
function whenRefused(
  stages: readonly Stage[],
  end: CommandEnd,
  circumstances: Circumstances,
): Diagnosis | null {
  const name = stages.map(({ tool }) => tool).join(' | ');
  const culprit = { stage: -1, exitCode: 0, signal: null };
  const stderr = end.stderr.filter((text) => text !== '').join('\n');
  const error = excessOf({ name, culprit, stderr, all: '', ...circumstances });
  return error && { error, exitCode: 0, signal: null, failedStage: null, stderr };
}

/** The first stage to fail (see S1 of the script), or the shell itself, or null. */
function findCulprit(stages: readonly Stage[], end: CommandEnd): StageEnd | null {
  const failed = end.ended.filter(({ exitCode }) => exitCode !== 0);
  const first = failed.find(({ signal }) => signal !== 'SIGPIPE') ?? failed[0];
  if (first !== undefined) return first;
  if (end.exitCode === 0 && end.ended.length === stages.length) return null;
  return { stage: -1, exitCode: end.exitCode, signal: end.signal };
}

interface Facts extends Circumstances {
  readonly name: string;
  readonly culprit: StageEnd;
  readonly stderr: string;
  readonly all: string;
}

function classify(facts: Facts): ErrorRecord {
  const { name, culprit, stderr, all, isDiskFull } = facts;
  const { exitCode, signal } = culprit;
  const excess = excessOf(facts);
  if (excess !== null) return excess;
  if (isDiskFull || KNOWN_MESSAGES[0]?.pattern.test(all)) {
    return record('DISK_FULL', `${name} found the disk full`, HINT_DISK_FULL);
  }
  if (signal === 'SIGPIPE') {
    return record('TOOL_FAILED', `${name} was cut off: its reader ended early`, HINT_LOGS);
  }
  const known = KNOWN_MESSAGES.find(({ pattern }) => pattern.test(stderr));
  if (signal !== null || exitCode === null) {
    const message = `${name} was killed by ${signal ?? 'an unknown signal'}`;
    const killed = signal === 'SIGKILL' ? HINT_MEMORY : HINT_LOGS;
    return record('TOOL_CRASHED', message, known?.hint ?? killed);
  }
  if (exitCode === NOT_FOUND || exitCode === NOT_EXECUTABLE) {
    const message = `${name} could not be started`;
    return record('TOOL_MISSING', message, 'Run `helixmesh doctor` for what to install.');
  }
  const message = `${name} ended with exit status ${exitCode}`;
  return record(known?.code ?? 'TOOL_FAILED', message, known?.hint ?? HINT_LOGS);
}

const MORE = 'or give `limits_factor` under [sandbox] a greater value and resume the job.';

/** A limit of the sandbox that ended the command. */
function excessOf({ name, culprit, all, limits, refused }: Facts): ErrorRecord | null {
  const { scratchBytes, memoryBytes, pids } = limits;
  // A tool that ignores the signal is told EFBIG.
  const isFileTooLarge = culprit.signal === 'SIGXFSZ' || /File too large/.test(all);
  if (refused === 'scratch' || isFileTooLarge) {
    const message = `${name} wrote more than ${mib(scratchBytes)} MiB, its limit`;
    const hint = `Check the input, which should not make so much of it, ${MORE}`;
    const details = { reason: 'disk', limitMib: mib(scratchBytes) };
    return { ...record('SCRATCH_EXCEEDED', message, hint), details };
  }
  if (refused === 'processes') {
    const message = `${name} wanted more than ${pids} processes and threads, its limit`;
    const hint = `Check that the tool is what it should be, ${MORE}`;
    return { ...record('PROCESSES_EXCEEDED', message, hint), details: { reason: 'pids', pids } };
  }
  if (refused === 'memory') {
    const message = `${name} needed more than ${mib(memoryBytes)} MiB of memory, its limit`;
    const hint = `Give fewer cores (--cores), which take less memory, ${MORE}`;
    const details = { reason: 'oom', limitMib: mib(memoryBytes) };
    return { ...record('MEMORY_EXCEEDED', message, hint), details };
  }
  return null;
}

function mib(bytes: number): number {
  return Math.floor(bytes / 2 ** 20);
}

function record(code: ErrorCode, message: string, hint: string): ErrorRecord {
  return { code, message, hint };
}

/**
 * The bash script of one tool command.
 *
 * File descriptors: 0 the lifeline (its other end is held by the daemon alone), 3 status lines,
 * 4… each stage's standard error.
 *
 * S1  A stage's status line is written while the stage still holds its pipes. So when one stage
 *     fails, its line comes before that of any neighbour that fails because of it: the first
 *     failing line is the culprit.
 * S2  When the daemon dies the lifeline ends, and the watcher kills the whole process group.
 * S3  Tools get none of the descriptors but 0, 1 and 2, also none that the daemon was started with:
 *     a folder among them would be a way out of the sandbox.
 * S4  No file grows beyond the limit (the kernel sends SIGXFSZ), and no memory of a tool that crashes
 *     is written to a disk.
 */
import { quoteArgument, quoteCommand } from './quote.ts';

export const STATUS_FD = 3;
export const FIRST_STDERR_FD = 4;
/** Begins the line after the last stage's, which is followed by what `times` prints. */
export const TIMES_MARK = 'times';

export interface ScriptCommand {
  readonly stages: readonly (readonly string[])[];
  /** Relative name for the last stage's standard output; left out: it is thrown away. */
  readonly stdout?: string;
  /** Largest size of any one file. */
  readonly fileMaxBytes?: number;
}

export function renderScript({ stages, stdout, fileMaxBytes }: ScriptCommand): string {
  const lifeline = FIRST_STDERR_FD + stages.length;
  const inherited = [STATUS_FD, lifeline, ...stages.map((_, i) => FIRST_STDERR_FD + i)];
  const closed = inherited.map((fd) => `${fd}>&-`).join(' ');
  const rendered = stages.map((argv, i) => {
    const isLast = i === stages.length - 1;
    const target = isLast ? ` >${stdout === undefined ? '/dev/null' : quoteFile(stdout)}` : '';
    const run = `${quoteCommand(argv)} 2>&${FIRST_STDERR_FD + i}${target} ${closed}`;
    return `( ${run}; s=$?; echo "${i} $s" >&${STATUS_FD}; exit $s )`;
  });
  return [
    'set -o pipefail',
    'umask 077',
    // A limit that is lower already stays.
    `ulimit -c 0; ulimit -f ${fileLimit(fileMaxBytes)} 2>/dev/null`,
    `exec ${lifeline}<&0 </dev/null`,
    closeAbove(lifeline),
    `( exec 2>/dev/null ${closedBut(inherited, lifeline)}; read -r _ <&${lifeline}; kill -KILL 0 ) &`,
    'watcher=$!',
    rendered.join(' |\n'),
    'status=$?',
    `{ echo ${TIMES_MARK}; times; } >&${STATUS_FD}`,
    'kill -KILL "$watcher" 2>/dev/null; wait "$watcher" 2>/dev/null',
    'exit $status',
    '',
  ].join('\n');
}

/** Only bash's own descriptor of the script stays, which no other program gets. */
function closeAbove(last: number): string {
  const close = `[ "$n" -gt ${last} ] && ! [ "/dev/fd/$n" -ef "$0" ] && eval "exec $n>&-"`;
  return `for n in /dev/fd/*; do n=\${n##*/}; case $n in *[!0-9]*) ;; *) ${close} 2>/dev/null;; esac; done`;
}

/** bash counts in KiB. */
function fileLimit(bytes: number | undefined): string {
  return bytes === undefined ? 'unlimited' : String(Math.ceil(bytes / 1024));
}

function closedBut(fds: readonly number[], kept: number): string {
  return fds.flatMap((fd) => (fd === kept ? [] : [`${fd}>&-`])).join(' ');
}

/** A leading dash or a name of digits means nothing after `>`, but `&1` would. */
function quoteFile(name: string): string {
  return quoteArgument(`./${name}`);
}

export interface StageStatus {
  readonly stage: number;
  readonly status: number;
}

export interface ScriptStatus {
  /** In the order in which the stages ended. */
  readonly ended: readonly StageStatus[];
  readonly cpuMs: number;
}

/** Reads what the script wrote to its status descriptor; a killed script's may be incomplete. */
export function parseStatus(text: string): ScriptStatus {
  const ended: StageStatus[] = [];
  let cpuMs = 0;
  for (const line of text.split('\n')) {
    const status = /^(\d+) (\d+)$/.exec(line);
    if (status !== null) ended.push({ stage: Number(status[1]), status: Number(status[2]) });
    for (const [, minutes, seconds] of line.matchAll(/(\d+)m([\d.]+)s/g)) {
      cpuMs += (Number(minutes) * 60 + Number(seconds)) * 1_000;
    }
  }
  return { ended, cpuMs: Math.round(cpuMs) };
}

/** Named limits of the executor. */

/** Between SIGTERM and SIGKILL. */
export const KILL_GRACE_MS = 2_000;
/** What is kept of a stage's standard error: its last bytes. */
export const STDERR_KEPT_BYTES = 65_536;
export const STDERR_TAIL_LINES = 20;
export const STDERR_TAIL_BYTES = 8_192;
/** A task of ours has a few dozen inputs; more is a mistake in a pipeline. */
export const INPUTS_MAX = 4_096;
export const OUTPUTS_MAX = 1_024;
/** The stages of a pipeline each take one file descriptor for their standard error. */
export const STAGES_MAX = 32;
/** Status lines of a command: one short line per stage and two of `times`. */
export const STATUS_MAX_BYTES = 65_536;
/** Below this much free space a failure is taken for a full disk. */
export const DISK_FULL_BYTES = 1_048_576;
/** Digests of a task's outputs that are computed at once. */
export const DIGESTS_AT_ONCE = 4;
/** Heap of a worker thread. Builtins and digests stream; the largest, the report, takes 0.3 GiB. */
export const WORKER_HEAP_MIB = 2_048;
/** How long a worker thread waits for its next job; longer than the tools between two of them. */
export const IDLE_WORKER_MS = 60_000;
/** After a command's end, how long its pipes may stay open before they are cut. */
export const PIPE_CLOSE_MS = 5_000;
/** Smaller outputs are digested on the main thread; starting a worker costs more than that. */
export const INLINE_DIGEST_MAX_BYTES = 262_144;
/** Between two looks at what the processes of an attempt have read, however many ask. */
export const LOOK_INTERVAL_MS = 2_000;
/** Processes of one command, and open files of each, that a look takes in. */
export const PROCESSES_MAX = 64;
export const OPEN_FILES_MAX = 256;
/** What a task may use of memory: this many times what it states, and so much more. */
export const MEMORY_HEADROOM_FACTOR = 2;
export const MEMORY_HEADROOM_MIB = 512;
/** Processes and threads of an attempt; a Java machine takes about 40 and a few for each core. */
export const PIDS_BASE = 512;
export const PIDS_PER_CORE = 32;
/** What an attempt may write: so much, and so many times the size of its inputs. */
export const SCRATCH_BASE_BYTES = 8 * 2 ** 30;
export const SCRATCH_PER_INPUT_BYTE = 8;
/** Between two looks at what an attempt has written and forked; the first comes after as long. */
export const USAGE_LOOK_MS = 1_000;
/** Files and folders of an attempt; ours have a few hundred, SnpEff's database included. */
export const SCRATCH_ENTRIES_MAX = 100_000;
/** `/tmp` inside a sandbox, for programs that do not heed TMPDIR; it is memory. */
export const SANDBOX_TMP_BYTES = 64 * 2 ** 20;
/** How long a killed cgroup may take to become empty, and between two looks. */
export const GROUP_EMPTY_MS = 5_000;
export const GROUP_POLL_MS = 2;

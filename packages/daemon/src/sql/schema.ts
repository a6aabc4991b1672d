/**
 * The tables of the node. Times are Unix milliseconds; JSON columns hold text. SQL is the truth
 * about jobs and results; the durable engine only knows where each workflow stands.
 */
import type { JobState } from '@helixmesh/protocol';
import type { NodeLifecycle } from '@helixmesh/scheduler';
import type { Generated } from 'kysely';
import type { CanariesTable } from './canaries-schema.ts';
import type { NetworkTaskTables } from './network-tasks-schema.ts';

export interface Tables extends NetworkTaskTables {
  readonly jobs: JobsTable;
  readonly outbox: OutboxTable;
  readonly tasks: TasksTable;
  readonly job_tasks: JobTasksTable;
  readonly attempts: AttemptsTable;
  readonly journal: JournalTable;
  readonly nodes: NodesTable;
  readonly canaries: CanariesTable;
}

interface JobsTable {
  job_id: string;
  sample_id: string;
  pipeline: string;
  /** Versioned service name; the job stays with it through upgrades. */
  workflow: string;
  /** Rises with each restart of a finished job; the workflow's key is `jobId#generation`. */
  generation: number;
  state: JobState;
  /** The pipeline's input, JSON. */
  document: string;
  /** Equal for two submissions of the same files and parameters. */
  submission_key: string;
  /** What decides the result; known once the reads have been read. */
  job_hash: string | null;
  out_dir: string;
  keep_intermediates: number;
  /** ErrorRecord JSON: why it waits or failed. */
  reason: string | null;
  /** PipelineResult JSON once the workflow has returned. */
  result: string | null;
  recovered: Generated<number>;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
}

interface OutboxTable {
  id: Generated<number>;
  job_id: string;
  generation: number;
  created_at: number;
  sent_at: number | null;
}

interface TasksTable {
  task_key: string;
  name: string;
  pool: string;
  spec: string;
  state: 'PENDING' | 'COMPLETE';
  /** TaskResult JSON. */
  result: string | null;
  /** 1 when intermediate outputs have been deleted. */
  pruned: Generated<number>;
  completed_at: number | null;
}

interface JobTasksTable {
  job_id: string;
  name: string;
  task_key: string;
  /** Order of first appearance in the job. */
  position: number;
  state: JobState;
  reused: number;
  why: string;
  error: string | null;
  /** Awakeable that a PAUSED task waits for. */
  resume_token: string | null;
  started_at: number | null;
  ended_at: number | null;
}

interface AttemptsTable {
  attempt_id: string;
  task_key: string;
  job_id: string;
  name: string;
  pool: string;
  cores: number;
  /** QUEUED RUNNING COMPLETE EXECUTOR_ERROR SYSTEM_ERROR CANCELED PREEMPTED */
  state: string;
  /** Rises with each attempt of a task; a result under an older token is discarded. */
  fencing_token: number;
  /** Which wait of which invocation asked for it; with the token, the key of the upsert. */
  awakeable: string;
  /** 1 once the waiting invocation has read the outcome. */
  acknowledged: Generated<number>;
  queued_at: number;
  started_at: number | null;
  ended_at: number | null;
  wall_ms: number | null;
  exit_code: number | null;
  command: string | null;
  stderr_tail: string | null;
  error: string | null;
}

interface JournalTable {
  sequence: Generated<number>;
  /** Makes each event one row, however often its effect is retried. */
  event_key: string;
  sample_id: string;
  job_id: string;
  step: string;
  state: string;
  at: number;
  payload: string;
}

/** Nodes that have registered with this coordinator. What is observed of a node is never reset. */
export interface NodesTable {
  node_id: string;
  /** The signed registration that holds, canonical JSON. */
  registration: string;
  /** Id of its document: the same one sent again is known by it. */
  registration_id: string;
  /** 1 when the operator's wallet has signed the zone statement in it. */
  is_zone_verified: number;
  admission: NodeLifecycle['admission'];
  /** Canonical JSON of operator and hardware as they were verified; null before. */
  verified: string | null;
  first_registered_at: number;
  registered_at: number;
  /** Since when it is to take nothing new; null when it may. */
  drain_asked_at: number | null;
  /** The last heartbeat, canonical JSON, and when it came by this machine's clock. */
  heartbeat: string | null;
  heartbeat_at: number | null;
  uptime_first_at: number | null;
  uptime_last_at: number | null;
  uptime_online_ms: Generated<number>;
}

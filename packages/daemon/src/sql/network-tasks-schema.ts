/** Tables of work on the network, at its coordinator. Times are Unix milliseconds. */
import type {
  NetworkAttemptState,
  NetworkJobState,
  PlacementStatus,
} from '@helixmesh/protocol/sealing';

export interface NetworkTaskTables {
  readonly network_jobs: NetworkJobsTable;
  readonly network_tasks: NetworkTasksTable;
  readonly network_evidence: NetworkEvidenceTable;
  readonly network_handovers: NetworkHandoversTable;
  readonly network_heads: NetworkHeadsTable;
  readonly network_reputations: NetworkReputationsTable;
  readonly network_decisions: NetworkDecisionsTable;
  readonly network_replicas: NetworkReplicasTable;
  readonly network_chain: NetworkChainTable;
  readonly network_statements: NetworkStatementsTable;
  readonly network_dead_letters: NetworkDeadLettersTable;
}

export interface NetworkJobsTable {
  /** Id of the job's document. */
  job_id: string;
  requester: string;
  /** With the requester it is there once. */
  nonce: string;
  /** The signed document, canonical JSON. */
  document: string;
  state: NetworkJobState;
  /** JSON of code and message. */
  reason: string | null;
  expires_at: number;
  created_at: number;
  ended_at: number | null;
}

export interface NetworkTasksTable {
  task_id: string;
  job_id: string;
  name: string;
  state: NetworkJobState;
  /** Rises when a dead task is tried again; attempts of earlier ones count no more. */
  generation: number;
  redundancy: number;
  replicas_max: number;
  /** Round of the quorum, and how many replicas it wants. */
  round: number;
  round_target: number;
  /** When reveals of the round open at the latest; null before its first commit. */
  commit_deadline: number | null;
  /** Until when reveals of the round are taken; null before they are open. */
  reveal_deadline: number | null;
  /** Fencing token of the newest attempt. */
  last_token: number;
  /** Attempts of this generation that ended without a result; the pause before the next one. */
  failures: number;
  place_after: number;
  result_digest: string | null;
  is_checked: number | null;
  /** JSON of code and message: why it waits or has failed. */
  reason: string | null;
  created_at: number;
  ended_at: number | null;
}

/** What showed that a job's requester may use a dataset: verified before it was written. */
export interface NetworkEvidenceTable {
  job_id: string;
  /** Id of the manifest. */
  dataset: string;
  owner: string;
  /** Who attests the owner's revocation head, `node_…@host:port`, as the job names it. */
  custodian: string;
  /** The signed manifest, canonical JSON. */
  manifest: string;
  /** Null for the requester's own dataset, like the document. */
  grant_id: string | null;
  grant_document: string | null;
}

/** Spread jobs whose custodian has not been told yet that nothing of them goes on. */
export interface NetworkHandoversTable {
  job_id: string;
  /** `node_…@host:port` of who has the key to what its tasks hand to each other. */
  custodian: string;
  /** When the custodian forgets that key by itself. */
  expires_at: number;
}

/** The last revocation head known of an owner, and who their custodian is. */
export interface NetworkHeadsTable {
  owner: string;
  /** Canonical JSON of both signed documents. */
  record: string;
}

/** Verdicts on a node's results, for each set of tools. */
export interface NetworkReputationsTable {
  node_id: string;
  /** Canonical JSON of tools and versions. */
  tool_set: string;
  consecutive_valid: number;
  invalid: number;
}

/** Decisions of the scheduler: those carried out, and of those that found too few the last one. */
export interface NetworkDecisionsTable {
  task_id: string;
  /** Id of the document. */
  placement_id: string;
  job_id: string;
  generation: number;
  status: PlacementStatus;
  /** The signed `helixmesh/placement/v1`, canonical JSON. */
  record: string;
  tool_set: string;
  at: number;
}

/** Attempts. One in state OFFERED is an offer to its node. */
export interface NetworkReplicasTable {
  attempt_id: string;
  task_id: string;
  generation: number;
  fencing_token: number;
  node_id: string;
  operator: string;
  round: number;
  state: NetworkAttemptState;
  /** End of the offer or of the lease. */
  lease_ends_at: number;
  commit_digest: string | null;
  commit_sequence: number | null;
  reveal_sequence: number | null;
  /** What was revealed; null when that does not open the commit. */
  digest: string | null;
  /** Why it ended: a code of the error table, or `lease_lost`, `too_late`, `unrevealed`, … */
  end_reason: string | null;
  verdict: 'valid' | 'invalid' | 'none' | null;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
}

export interface NetworkChainTable {
  sequence: number;
  entry_id: string;
  kind: 'commit' | 'reveal';
  task_id: string;
  attempt_id: string;
  /** The signed entry, canonical JSON. */
  entry: string;
  at: number;
}

/** What nodes have signed. Reveals are read by nobody before their task is final. */
export interface NetworkStatementsTable {
  attempt_id: string;
  kind: 'commit' | 'reveal';
  statement_id: string;
  document: string;
}

export interface NetworkDeadLettersTable {
  task_id: string;
  generation: number;
  job_id: string;
  reason: string;
  at: number;
  retried_at: number | null;
}

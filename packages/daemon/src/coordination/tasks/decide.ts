/**
 * Decides where a task goes: puts its job, the evidence for its datasets, the owners' revocation heads
 * and the registry of nodes together, and asks the scheduler. The facts are loaded here;
 * `placement-request.ts` makes the request of them, and the scheduler the decision.
 *
 * Nothing is decided while the head of some owner is not known: a grant may have been revoked, and
 * without its custodian no node could get a key.
 */
import type { Digest, NodeId } from '@helixmesh/protocol';
import {
  type Crypto,
  type NetworkJob,
  parseNetworkJob,
  parseNodeAddress,
  utf8,
} from '@helixmesh/protocol/sealing';
import {
  DEFAULT_POLICY,
  decide,
  factsOf,
  fleetOf,
  type HeldSlot,
  type NodeFacts,
  type OperatorId,
  PLACES_MAX,
  type Reputation,
} from '@helixmesh/scheduler';
import type { Heads } from '@helixmesh/vault';
import type { Database } from '../../sql/database.ts';
import { registrationOf, stateOf } from '../node-rows.ts';
import type { Decide } from './coordination.ts';
import { type Evidence, evidenceOf } from './evidence.ts';
import { freshHead } from './heads.ts';
import type { TaskToPlace } from './placement.ts';
import { COMPUTE_SERVICE, type DatasetFacts, placementRequest } from './placement-request.ts';
import { reputationsOf } from './reputations.ts';
import { commonTools, type ToolVersions, toolsService } from './tool-groups.ts';

export interface DeciderOptions {
  readonly database: Database;
  readonly crypto: Crypto;
  readonly heads: () => Promise<Heads>;
  /** Operators whose statements of a zone the network vouches for. */
  readonly attestedOperators: ReadonlySet<string>;
}

export function createDecider(options: DeciderOptions): Decide {
  const { database, crypto } = options;
  return async (task, nowMs) => {
    const job = parseNetworkJob(utf8(task.job)).document;
    const datasets = await datasetFacts(options, { task, job, nowMs });
    if (datasets === null) return { status: 'waits', reason: CUSTODIAN_SILENT };
    const nodes = await computeNodes(options, nowMs);
    const tools = (await pinnedTools(database, task)) ?? commonTools(nodes, job.parameters);
    const decision = decide({
      fleet: fleetOf(nodes),
      request: placementRequest(crypto, { task, job, datasets, tools }),
      policy: DEFAULT_POLICY,
      nowMs,
    });
    return { status: 'decided', decision };
  };
}

const CUSTODIAN_SILENT = {
  code: 'CUSTODIAN_OFFLINE',
  message: 'the custodian of a dataset does not answer; the job goes on when it does',
} as const;

/** The facts of nodes that run tasks, as of now. */
async function computeNodes(
  { database, crypto, attestedOperators }: DeciderOptions,
  nowMs: number,
): Promise<NodeFacts[]> {
  const rows = await database.selectFrom('nodes').selectAll().execute();
  const held = await heldSlots(database);
  const reputations = await reputationsOf(database);
  return rows
    .filter((row) => registrationOf(row).services.includes(COMPUTE_SERVICE))
    .map((row) => {
      const state = stateOf(row, attestedOperators);
      const lifecycle = { ...state.lifecycle, held: held.get(row.node_id as NodeId) ?? [] };
      const known: readonly Reputation[] = reputations.get(row.node_id as NodeId) ?? [];
      const facts = factsOf({ ...state, lifecycle, reputations: known }, nowMs);
      return { ...facts, services: [...facts.services, toolsService(crypto, facts.tools)] };
    });
}

/** Attempts under way, which a node's last heartbeat may not tell of yet. */
async function heldSlots(database: Database): Promise<Map<NodeId, HeldSlot[]>> {
  const rows = await database
    .selectFrom('network_replicas')
    .select(['node_id', 'attempt_id', 'state'])
    .where('state', 'in', ['OFFERED', 'RUNNING'])
    .execute();
  const held = new Map<NodeId, HeldSlot[]>();
  for (const { node_id, attempt_id, state } of rows) {
    const slots = held.get(node_id as NodeId) ?? [];
    const phase = state === 'OFFERED' ? 'busy' : 'executing';
    held.set(node_id as NodeId, [...slots, { attemptId: attempt_id as never, phase }]);
  }
  return held;
}

/** The tools of the replicas that the job has: later ones, of all its tasks, must have the same. */
async function pinnedTools(database: Database, task: TaskToPlace): Promise<ToolVersions | null> {
  const row = await database
    .selectFrom('network_decisions')
    .innerJoin('network_tasks', 'network_tasks.task_id', 'network_decisions.task_id')
    .select('network_decisions.tool_set')
    .where('network_decisions.job_id', '=', task.jobId)
    .where('network_decisions.status', '!=', 'wait')
    .whereRef('network_decisions.generation', '=', 'network_tasks.generation')
    .orderBy('network_decisions.at')
    .executeTakeFirst();
  return row === undefined ? null : (JSON.parse(row.tool_set) as ToolVersions);
}

interface Asked {
  readonly task: TaskToPlace;
  readonly job: NetworkJob;
  readonly nowMs: number;
}

/** In the order of the job; null while some owner's head is not known to be the last one. */
async function datasetFacts(
  options: DeciderOptions,
  { task, job, nowMs }: Asked,
): Promise<DatasetFacts[] | null> {
  const heads = await options.heads();
  const evidence = await evidenceOf(options.database, task.jobId);
  const facts: DatasetFacts[] = [];
  for (const [index, named] of job.datasets.entries()) {
    const { manifest, grant } = evidence[index] as Evidence;
    const head = freshHead(heads, manifest.document.owner, nowMs);
    if (head === null) return null;
    facts.push({
      dataset: named.dataset,
      manifest,
      grant,
      isRevoked: named.grant !== null && head.known.head.revoked.includes(named.grant),
      attestedAtMs: head.attestedAtMs,
      places: await placesOf(options.database, named.vaults),
      plaintextOperators: await plaintextOperators(options.database, named.dataset),
    });
  }
  return facts;
}

/** A vault that is registered here has a place; of others nobody knows one. */
async function placesOf(database: Database, vaults: readonly string[]) {
  const ids = vaults.slice(0, PLACES_MAX).map((vault) => parseNodeAddress(vault).nodeId);
  const rows = await database
    .selectFrom('nodes')
    .select(['node_id', 'registration'])
    .where('node_id', 'in', ids)
    .execute();
  const locations = new Map(rows.map((row) => [row.node_id, registrationOf(row).location]));
  return ids.map((nodeId) => ({ nodeId, location: locations.get(nodeId) ?? null }));
}

async function plaintextOperators(database: Database, dataset: Digest): Promise<OperatorId[]> {
  const rows = await database
    .selectFrom('network_evidence')
    .innerJoin('network_tasks', 'network_tasks.job_id', 'network_evidence.job_id')
    .innerJoin('network_replicas', 'network_replicas.task_id', 'network_tasks.task_id')
    .select('network_replicas.operator')
    .where('network_evidence.dataset', '=', dataset)
    .where((eb) =>
      eb.or([
        eb('network_replicas.started_at', 'is not', null),
        eb('network_replicas.state', '=', 'OFFERED'),
      ]),
    )
    .distinct()
    .orderBy('network_replicas.operator')
    .execute();
  return rows.map(({ operator }) => operator as OperatorId);
}

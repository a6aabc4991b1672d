/** Rows of the registry as the scheduler's rules read them, and as the network's contract shows them. */
import { type NodeView, nodeAddressTextSchema, type Signed } from '@helixmesh/protocol/sealing';
import {
  factsOf,
  type Heartbeat,
  type NodeLifecycle,
  type NodeState,
  type Registration,
  type Uptime,
} from '@helixmesh/scheduler';
import type { Selectable } from 'kysely';
import type { NodesTable } from '../sql/schema.ts';

export type NodeRow = Selectable<NodesTable>;

/** The registration of a row. It was parsed and verified before it was written. */
export function registrationOf(row: Pick<NodeRow, 'registration'>): Registration {
  return (JSON.parse(row.registration) as Signed<Registration>).document;
}

/** What others dial, `node_…@host:port`; null for an endpoint that is no such address. */
export function addressOf(row: Pick<NodeRow, 'registration'>): string | null {
  const { nodeId, endpoint } = registrationOf(row);
  const { hostname, port } = new URL(endpoint);
  const text = `${nodeId}@${hostname}:${port === '' ? HTTPS_PORT : port}`;
  return nodeAddressTextSchema.safeParse(text).success ? text : null;
}

const HTTPS_PORT = 443;

export function lifecycleOf(row: NodeRow, registration: Registration): NodeLifecycle {
  const { sequence, slots } = registration;
  // Attempts are not placed on nodes yet: no slot is held.
  return { admission: row.admission, sequence, slots, held: [] };
}

/** The heartbeat that came last, with `isDraining` also where the coordinator was asked for it. */
export function heartbeatOf(row: NodeRow): NodeState['heartbeat'] {
  if (row.heartbeat === null || row.heartbeat_at === null) return null;
  const body = JSON.parse(row.heartbeat) as Heartbeat;
  const isDraining = body.isDraining || row.drain_asked_at !== null;
  return { atMs: row.heartbeat_at, body: { ...body, isDraining } };
}

export function uptimeOf(row: NodeRow): Uptime | null {
  const { uptime_first_at, uptime_last_at, uptime_online_ms } = row;
  if (uptime_first_at === null || uptime_last_at === null) return null;
  return { firstAtMs: uptime_first_at, lastAtMs: uptime_last_at, onlineMs: uptime_online_ms };
}

/** Everything that the scheduler's `factsOf` asks for. */
export function stateOf(row: NodeRow, attestedOperators: ReadonlySet<string>): NodeState {
  const registration = registrationOf(row);
  return {
    registration,
    lifecycle: lifecycleOf(row, registration),
    heartbeat: heartbeatOf(row),
    uptime: uptimeOf(row),
    reputations: [],
    isZoneStatementVerified: row.is_zone_verified === 1,
    isNetworkAttested: attestedOperators.has(registration.operator),
    // Nobody measures round trips to nodes yet; nothing contradicts a place.
    isLocationPlausible: true,
  };
}

export interface ViewOptions {
  readonly attestedOperators: ReadonlySet<string>;
  /** Why nodes were not admitted by their last canary. */
  readonly reasons: ReadonlyMap<string, NodeView['reason']>;
  readonly nowMs: number;
}

/** What the network is shown of a node at `nowMs`. */
export function viewOf(row: NodeRow, { attestedOperators, reasons, nowMs }: ViewOptions): NodeView {
  const state = stateOf(row, attestedOperators);
  const facts = factsOf(state, nowMs);
  const { endpoint, slots, expiresAtMs, hardware, services } = state.registration;
  return {
    nodeId: facts.nodeId,
    operator: facts.operator,
    endpoint,
    zones: zonesInForce(facts.statement, nowMs),
    tier: facts.tier,
    services,
    admission: facts.admission,
    reason: reasonOf(row, { attestedOperators, reasons, nowMs }),
    liveness: facts.liveness,
    cores: hardware.cores,
    memoryBytes: hardware.memoryBytes,
    diskBytes: hardware.diskBytes,
    gpus: hardware.gpus,
    tools: hardware.tools,
    sandbox: hardware.sandbox,
    slots,
    runningAttempts: state.heartbeat?.body.runningAttempts ?? 0,
    uptimeBps: facts.uptimeBps,
    lastHeartbeatAtMs: state.heartbeat?.atMs ?? null,
    expiresAtMs,
  };
}

/** Of a node that offers to compute. */
function reasonOf(row: NodeRow, { reasons, nowMs }: ViewOptions): NodeView['reason'] {
  if (!registrationOf(row).services.includes('compute')) return null;
  const statement = statementReasonOf(row, nowMs);
  if (statement !== null || row.admission === 'available') return statement;
  return reasons.get(row.node_id) ?? null;
}

/** Why nobody gives the node tasks of others, by what vouches for it; null where something does. */
export function statementReasonOf(row: NodeRow, nowMs: number): NodeView['reason'] {
  const { zoneStatement } = registrationOf(row);
  const isInForce = zoneStatement !== null && nowMs < zoneStatement.document.untilMs;
  if (row.is_zone_verified === 1 && isInForce) return null;
  return {
    code: 'ACCESS_REFUSED',
    message: 'no statement of its operator vouches for it: `helixmesh node vouch` makes one',
  };
}

function zonesInForce(
  statement: { readonly zones: string[]; readonly untilMs: number } | null,
  nowMs: number,
): string[] {
  return statement === null || nowMs >= statement.untilMs ? [] : statement.zones;
}

/**
 * The nodes that a coordinator knows, in SQL.
 *
 * Invariants
 * N1  What is stored was signed by the node's own key for this network, and its sequence is higher
 *     than that of what it replaced.
 * N2  Registering again resets nothing that was observed: uptime, ban, a drain that was asked for.
 * N3  A heartbeat counts once, and only when it is later than the one before it.
 * N4  There are never more than `nodesMax` nodes. Strangers, of whom anybody makes as many as they
 *     like, keep nobody out for whom an operator vouches.
 *
 * Whether a node is online follows from the time of its last heartbeat whenever somebody looks:
 * nothing has to be written when one falls silent, and a restart forgets nothing.
 */
import { AppError, canonicalJson, type Digest, type NodeId } from '@helixmesh/protocol';
import type { Crypto, Signed } from '@helixmesh/protocol/sealing';
import {
  type Heartbeat,
  type NodeEvent,
  type NodeLifecycle,
  type Refusal,
  type Registration,
  recordHeartbeat,
  transition,
  UNREGISTERED,
  verifyRegistration,
} from '@helixmesh/scheduler';
import { atomically, type Database } from '../sql/database.ts';
import { FORGOTTEN_AFTER_MS, STRANGERS_LOOKED_AT_MAX } from './limits.ts';
import { lifecycleOf, type NodeRow, registrationOf, uptimeOf } from './node-rows.ts';

export interface NodeRegistry {
  /**
   * Takes a registration; the same one sent again changes nothing. Throws UNAUTHENTICATED for a
   * signature that is not the node's, CONFLICT for another network or an old sequence, USAGE for one
   * that is not in force, ACCESS_REFUSED for a banned node, BUSY when there is no room.
   */
  register(signed: Signed<Registration>, nowMs: number): Promise<NodeRow>;
  /** Throws NOT_FOUND for a node that has not registered, CONFLICT for an old heartbeat. */
  beat(heartbeat: Heartbeat, nowMs: number): Promise<NodeRow>;
  /** Asks that nothing new is placed on it, or takes that back. Throws NOT_FOUND. */
  setDraining(nodeId: NodeId, atMs: number | null): Promise<NodeRow>;
  /** What verification and quorum find out. Throws NOT_FOUND, and CONFLICT when it cannot be so. */
  apply(nodeId: NodeId, event: NodeEvent): Promise<NodeRow>;
  /** In the order of the ids. */
  list(): Promise<NodeRow[]>;
}

export interface NodeRegistryOptions {
  readonly database: Database;
  readonly network: Digest;
  readonly crypto: Crypto;
  readonly nodesMax: number;
  /** Who vouches for nodes; none for any operator. */
  readonly attestedOperators?: ReadonlySet<string>;
}

export function createNodeRegistry(options: NodeRegistryOptions): NodeRegistry {
  const { database, network, crypto, nodesMax } = options;
  const attested = options.attestedOperators ?? new Set<string>();
  const isVouched = ({ operator }: Registration, isZoneStatementVerified: boolean) =>
    isZoneStatementVerified && (attested.size === 0 || attested.has(operator));
  const isStranger = (row: NodeRow) => !isVouched(registrationOf(row), row.is_zone_verified === 1);

  async function register(signed: Signed<Registration>, nowMs: number): Promise<NodeRow> {
    const verdict = verifyRegistration(crypto, signed, { network, nowMs });
    if (verdict.status === 'invalid') throw invalid(verdict.reason);
    const { document } = signed;
    const { nodeId, sequence, slots } = document;
    return atomically(database, async (trx) => {
      const row = await find(trx, nodeId);
      if (row?.registration_id === verdict.id) return row;
      const before = row === undefined ? UNREGISTERED : lifecycleOf(row, registrationOf(row));
      const { isZoneStatementVerified } = verdict;
      const isVouchedAsBefore = isZoneStatementVerified || row?.is_zone_verified !== 1;
      const isSameAsVerified = row?.verified === verifiedTextOf(document);
      const isVerifiedHardware = isSameAsVerified && isVouchedAsBefore;
      const after = moved(before, { type: 'register', sequence, slots, isVerifiedHardware });
      if (row === undefined) {
        const isPreferred = isVouched(document, isZoneStatementVerified);
        await makeRoom(trx, { nodesMax, nowMs, isStranger: isPreferred ? isStranger : null });
      }
      const change = {
        registration: canonicalJson(signed),
        registration_id: verdict.id,
        is_zone_verified: isZoneStatementVerified ? 1 : 0,
        admission: after.admission,
        registered_at: nowMs,
      };
      return trx
        .insertInto('nodes')
        .values({ node_id: nodeId, first_registered_at: nowMs, ...change })
        .onConflict((conflict) => conflict.column('node_id').doUpdateSet(change))
        .returningAll()
        .executeTakeFirstOrThrow();
    });
  }

  async function beat(heartbeat: Heartbeat, nowMs: number): Promise<NodeRow> {
    const { nodeId, sequence } = heartbeat;
    return atomically(database, async (trx) => {
      const row = await get(trx, nodeId);
      if (row.heartbeat !== null) {
        const last = JSON.parse(row.heartbeat) as Heartbeat;
        if (sequence <= last.sequence) throw old('a heartbeat', { sequence, known: last.sequence });
      }
      const uptime = recordHeartbeat(uptimeOf(row), nowMs);
      return update(trx, nodeId, {
        heartbeat: canonicalJson(heartbeat),
        heartbeat_at: nowMs,
        uptime_first_at: uptime.firstAtMs,
        uptime_last_at: uptime.lastAtMs,
        uptime_online_ms: uptime.onlineMs,
      });
    });
  }

  async function apply(nodeId: NodeId, event: NodeEvent): Promise<NodeRow> {
    return atomically(database, async (trx) => {
      const row = await get(trx, nodeId);
      const registration = registrationOf(row);
      const { admission } = moved(lifecycleOf(row, registration), event);
      const isPassed = event.type === 'verify' && event.isPassed;
      const verified = isPassed ? verifiedTextOf(registration) : row.verified;
      return update(trx, nodeId, { admission, verified });
    });
  }

  return {
    register,
    beat,
    apply,
    setDraining: (nodeId, atMs) =>
      atomically(database, async (trx) => {
        const row = await get(trx, nodeId);
        const since = atMs === null ? null : (row.drain_asked_at ?? atMs);
        return update(trx, nodeId, { drain_asked_at: since });
      }),
    list: () => database.selectFrom('nodes').selectAll().orderBy('node_id').execute(),
  };
}

interface Room {
  readonly nodesMax: number;
  readonly nowMs: number;
  /** Who makes way for the node that comes; null where nobody does. */
  readonly isStranger: ((row: NodeRow) => boolean) | null;
}

/** N4: forgets who never became more than a name, or refuses. */
async function makeRoom(trx: Database, { nodesMax, nowMs, isStranger }: Room): Promise<void> {
  if ((await countOf(trx)) < nodesMax) return;
  const silentSince = nowMs - FORGOTTEN_AFTER_MS;
  await trx
    .deleteFrom('nodes')
    .where('admission', '!=', 'banned')
    .where('verified', 'is', null)
    .where('registered_at', '<', silentSince)
    .where((or) => or.or([or('heartbeat_at', 'is', null), or('heartbeat_at', '<', silentSince)]))
    .execute();
  if ((await countOf(trx)) < nodesMax) return;
  if (isStranger !== null && (await forgetOne(trx, isStranger))) return;
  throw new AppError('BUSY', `this coordinator has its ${nodesMax} nodes`, {
    hint: 'Let an operator of the network vouch for the node, or ask the operator of the coordinator.',
  });
}

/** Of strangers that were never verified, one that registered early; false where there is none. */
async function forgetOne(trx: Database, isStranger: (row: NodeRow) => boolean): Promise<boolean> {
  const rows = await trx
    .selectFrom('nodes')
    .selectAll()
    .where('admission', '!=', 'banned')
    .where('verified', 'is', null)
    .orderBy('is_zone_verified')
    .orderBy('registered_at')
    .limit(STRANGERS_LOOKED_AT_MAX)
    .execute();
  const stranger = rows.find(isStranger);
  if (stranger === undefined) return false;
  await trx.deleteFrom('nodes').where('node_id', '=', stranger.node_id).execute();
  return true;
}

async function countOf(trx: Database): Promise<number> {
  const { nodes } = await trx
    .selectFrom('nodes')
    .select((select) => select.fn.countAll<number>().as('nodes'))
    .executeTakeFirstOrThrow();
  return nodes;
}

function find(trx: Database, nodeId: NodeId): Promise<NodeRow | undefined> {
  return trx.selectFrom('nodes').selectAll().where('node_id', '=', nodeId).executeTakeFirst();
}

async function get(trx: Database, nodeId: NodeId): Promise<NodeRow> {
  const row = await find(trx, nodeId);
  if (row !== undefined) return row;
  throw new AppError('NOT_FOUND', `${nodeId} has not registered here`, {
    hint: 'Start the node with `helixmesh up`; it registers by itself.',
  });
}

function update(trx: Database, nodeId: NodeId, change: Partial<NodeRow>): Promise<NodeRow> {
  return trx
    .updateTable('nodes')
    .set(change)
    .where('node_id', '=', nodeId)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** What a verification was about: a node that changes either is verified anew. */
function verifiedTextOf({ operator, hardware }: Registration): string {
  return canonicalJson({ operator, hardware });
}

function moved(lifecycle: NodeLifecycle, event: NodeEvent): NodeLifecycle {
  const next = transition(lifecycle, event);
  if (next.status === 'moved') return next.lifecycle;
  throw refused(next.reason, lifecycle, event);
}

function refused(reason: Refusal, lifecycle: NodeLifecycle, event: NodeEvent): AppError {
  if (reason === 'banned') {
    return new AppError('ACCESS_REFUSED', 'the network has banned this node', {
      hint: 'Ask the operator of the coordinator why.',
    });
  }
  if (reason === 'stale_sequence' && event.type === 'register') {
    return old('a registration', { sequence: event.sequence, known: lifecycle.sequence });
  }
  return new AppError('CONFLICT', `${event.type} is refused: ${reason}`, {
    hint: 'Look at the node with `helixmesh node show`.',
  });
}

function old(
  what: string,
  { sequence, known }: { readonly sequence: number; readonly known: number },
): AppError {
  return new AppError('CONFLICT', `${what} of sequence ${sequence}, after one of ${known}`, {
    hint: 'Set the clock of the node; it counts by its time.',
  });
}

function invalid(reason: 'network' | 'signature' | 'not_yet' | 'expired'): AppError {
  switch (reason) {
    case 'network':
      return new AppError('CONFLICT', 'the registration is for another network', {
        hint: 'Give the node the genesis document of this network.',
      });
    case 'signature':
      return new AppError('UNAUTHENTICATED', 'the registration is not signed by its node', {
        hint: 'Register from the node itself.',
      });
    default:
      return new AppError('USAGE', 'the registration is not in force now', {
        hint: 'Set the clock of the node, and start it again.',
      });
  }
}

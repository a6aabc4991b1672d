/** What happens to the rows of canaries (`verification.ts` has the invariants V1 to V4). */
import { AppError, type Digest, type NodeId } from '@helixmesh/protocol';
import {
  type Canary,
  type CanaryStanding,
  type Crypto,
  canarySchema,
  toHex,
} from '@helixmesh/protocol/sealing';
import type { Selectable } from 'kysely';
import type { CanariesTable } from '../sql/canaries-schema.ts';
import { atomically, type Database } from '../sql/database.ts';
import {
  CANARY_GENOME,
  CANARY_IDLE_MS,
  CANARY_JUDGED_MS,
  CANARY_MS,
  CANARY_PAUSE_FIRST_MS,
  CANARY_PAUSE_MAX_MS,
} from './limits.ts';
import { createNodeRegistry } from './node-registry.ts';
import { type NodeRow, statementReasonOf } from './node-rows.ts';

const genomeSchema = canarySchema.omit({ canaryId: true, expiresAtMs: true });
export type CanaryGenome = Omit<Canary, 'canaryId' | 'expiresAtMs'>;

const CANARY_ID_BYTES = 16;
const SEED_BYTES = 4;

/** Who asks, of what. */
export interface CanaryCall {
  readonly database: Database;
  readonly network: Digest;
  readonly crypto: Crypto;
  readonly nodeId: NodeId;
  readonly nodesMax: number;
  readonly nowMs: number;
  /** Why this coordinator can verify nobody now; null where it can. */
  readonly lacking: string | null;
}

type Row = Selectable<CanariesTable>;
type Reason = CanaryStanding['reason'];

/** The canary that the node is to do now, or why there is none. Throws NOT_FOUND for a stranger. */
export function takeCanary(given: CanaryCall): Promise<CanaryStanding> {
  return atomically(given.database, async (database) => {
    const call = { ...given, database };
    const { nowMs, lacking } = call;
    const node = await nodeOf(call);
    if (node.admission === 'available') return standing(node, { askInMs: CANARY_IDLE_MS, call });
    const reason = statementReasonOf(node, nowMs) ?? lackingReason(lacking);
    if (reason !== null) return standing(node, { askInMs: CANARY_IDLE_MS, call, reason });
    const row = await endLate(call, await rowOf(call));
    if (row?.judged_at === null) {
      if (row.answer !== null) return standing(node, { askInMs: CANARY_JUDGED_MS, call });
      return standing(await begun(call, node), { askInMs: 0, call, canary: canaryOf(row) });
    }
    if (row !== undefined && row.not_before > nowMs) {
      return standing(node, { askInMs: row.not_before - nowMs, call, reason: reasonOf(row) });
    }
    const drawn = await draw(call, row);
    const canary = canaryOf(drawn);
    return standing(await begun(call, node), { askInMs: 0, call, canary, reason: reasonOf(drawn) });
  });
}

export interface CanaryAnswer {
  readonly canaryId: string;
  readonly resultDigest: Digest | null;
  readonly code: string | null;
}

/**
 * Takes an answer down; the same one again changes nothing. Throws ACCESS_REFUSED for a canary that is
 * not this node's (V1), CONFLICT for a second answer.
 */
export function answerCanary(given: CanaryCall, answer: CanaryAnswer): Promise<CanaryStanding> {
  return atomically(given.database, async (database) => {
    const call = { ...given, database };
    const row = await rowOf(call);
    if (row?.canary_id !== answer.canaryId) throw notYours();
    const node = await nodeOf(call);
    const { resultDigest, code } = answer;
    if (row.answer !== null && resultDigest !== row.answer) throw answered();
    const late = await endLate(call, row);
    if (late?.judged_at !== null) {
      const askInMs = Math.max((late?.not_before ?? 0) - call.nowMs, 0);
      return standing(await nodeOf(call), { askInMs, call, reason: reasonOf(late) });
    }
    if (resultDigest === null) {
      const reason = {
        code: code ?? 'INTERNAL',
        message: `its analysis of a canary failed: ${code}`,
      };
      const failed = await fail(call, row, reason);
      const askInMs = failed.not_before - call.nowMs;
      return standing(await nodeOf(call), { askInMs, call, reason });
    }
    await change(call, { answer: resultDigest });
    return standing(node, { askInMs: CANARY_JUDGED_MS, call });
  });
}

export interface Unjudged {
  readonly nodeId: NodeId;
  readonly canaryId: string;
  readonly genome: CanaryGenome;
  readonly answer: Digest;
  /** When the canary's time is over, ms since 1970. */
  readonly expiresAtMs: number;
}

/** Answers that nobody has judged yet (V3). */
export async function unjudgedCanaries(database: Database): Promise<readonly Unjudged[]> {
  const rows = await database
    .selectFrom('canaries')
    .selectAll()
    .where('judged_at', 'is', null)
    .where('answer', 'is not', null)
    .orderBy('expires_at')
    .execute();
  return rows.map(({ node_id, canary_id, genome, answer, expires_at }) => ({
    nodeId: node_id as NodeId,
    canaryId: canary_id,
    genome: genomeSchema.parse(JSON.parse(genome)),
    answer: answer as Digest,
    expiresAtMs: expires_at,
  }));
}

export interface Judgement {
  readonly canaryId: string;
  /** `unknown`: this coordinator could not find out; the node gets another canary at once. */
  readonly outcome: 'right' | 'wrong' | 'unknown';
}

/** Moves the node's lifecycle by what its answer was worth. */
export function judgeCanary(given: CanaryCall, { canaryId, outcome }: Judgement): Promise<void> {
  return atomically(given.database, async (database) => {
    const call = { ...given, database };
    const row = await rowOf(call);
    if (row === undefined || row.canary_id !== canaryId || row.judged_at !== null) return;
    if (outcome === 'wrong') {
      const message = 'its answer to a canary was not the one of this coordinator';
      await fail(call, row, { code: 'RESULT_DIFFERS', message });
      return;
    }
    // Whoever registered other hardware meanwhile has to be looked at anew.
    const node = await nodeOf(call);
    const isSame = node.admission === 'pending_verification';
    const isPassed = outcome === 'right';
    if (isSame) await registryOf(call).apply(call.nodeId, { type: 'verify', isPassed });
    const failures = isPassed ? 0 : row.failures;
    await change(call, { judged_at: call.nowMs, failures, not_before: 0, reason: null });
  });
}

/** Why nodes were not admitted by their last canary, of all nodes that were not. */
export async function canaryReasons(database: Database): Promise<ReadonlyMap<string, Reason>> {
  const rows = await database
    .selectFrom('canaries')
    .selectAll()
    .where('reason', 'is not', null)
    .execute();
  return new Map(rows.map((row) => [row.node_id, reasonOf(row)]));
}

interface StandingParts {
  readonly call: CanaryCall;
  readonly askInMs: number;
  readonly canary?: Canary;
  readonly reason?: Reason;
}

function standing(
  { admission }: Pick<NodeRow, 'admission'>,
  { call, askInMs, canary, reason }: StandingParts,
): CanaryStanding {
  const askAgainAtMs = call.nowMs + askInMs;
  return { admission, canary: canary ?? null, reason: reason ?? null, askAgainAtMs };
}

function lackingReason(lacking: string | null): Reason {
  if (lacking === null) return null;
  return { code: 'TOOL_MISSING', message: 'the coordinator has no tools to verify nodes with' };
}

/** The node once its verification has begun. */
async function begun(call: CanaryCall, node: NodeRow): Promise<NodeRow> {
  if (node.admission !== 'registered') return node;
  return registryOf(call).apply(call.nodeId, { type: 'begin_verification' });
}

/** A canary that nobody has had before (V1). */
async function draw(call: CanaryCall, before: Row | undefined): Promise<Row> {
  const { crypto, nodeId, nowMs } = call;
  const seed = Buffer.from(crypto.random(SEED_BYTES)).readUInt32BE();
  const drawn: Row = {
    node_id: nodeId,
    canary_id: `canary_${toHex(crypto.random(CANARY_ID_BYTES))}`,
    genome: JSON.stringify({ seed, ...CANARY_GENOME } satisfies CanaryGenome),
    expires_at: nowMs + CANARY_MS,
    answer: null,
    judged_at: null,
    failures: before?.failures ?? 0,
    not_before: 0,
    reason: before?.reason ?? null,
  };
  await call.database
    .insertInto('canaries')
    .values(drawn)
    .onConflict((conflict) => conflict.column('node_id').doUpdateSet(drawn))
    .execute();
  return drawn;
}

/** V4: the row, failed where its time is over and nothing was answered. */
async function endLate(call: CanaryCall, row: Row | undefined): Promise<Row | undefined> {
  if (row === undefined || row.judged_at !== null || row.answer !== null) return row;
  if (row.expires_at > call.nowMs) return row;
  return fail(call, row, { code: 'LEASE_EXPIRED', message: 'it has not answered its last canary' });
}

async function fail(call: CanaryCall, row: Row, reason: NonNullable<Reason>): Promise<Row> {
  const { nodeId, nowMs } = call;
  const node = await nodeOf(call);
  if (node.admission === 'pending_verification') {
    await registryOf(call).apply(nodeId, { type: 'verify', isPassed: false });
  }
  const pauseMs = Math.min(CANARY_PAUSE_FIRST_MS * 2 ** row.failures, CANARY_PAUSE_MAX_MS);
  return change(call, {
    judged_at: nowMs,
    failures: row.failures + 1,
    not_before: nowMs + pauseMs,
    reason: JSON.stringify(reason),
  });
}

function change({ database, nodeId }: CanaryCall, values: Partial<Row>): Promise<Row> {
  return database
    .updateTable('canaries')
    .set(values)
    .where('node_id', '=', nodeId)
    .returningAll()
    .executeTakeFirstOrThrow();
}

function rowOf({ database, nodeId }: CanaryCall): Promise<Row | undefined> {
  return database
    .selectFrom('canaries')
    .selectAll()
    .where('node_id', '=', nodeId)
    .executeTakeFirst();
}

async function nodeOf({ database, nodeId }: CanaryCall): Promise<NodeRow> {
  const row = await database
    .selectFrom('nodes')
    .selectAll()
    .where('node_id', '=', nodeId)
    .executeTakeFirst();
  if (row !== undefined) return row;
  throw new AppError('NOT_FOUND', `${nodeId} has not registered here`, {
    hint: 'Start the node with `helixmesh up`; it registers by itself.',
  });
}

function registryOf({ database, network, crypto, nodesMax }: CanaryCall) {
  return createNodeRegistry({ database, network, crypto, nodesMax });
}

function canaryOf({ canary_id, genome, expires_at }: Row): Canary {
  const canaryId = canary_id;
  return { canaryId, ...genomeSchema.parse(JSON.parse(genome)), expiresAtMs: expires_at };
}

function reasonOf(row: Pick<Row, 'reason'> | undefined): Reason {
  return row?.reason == null ? null : (JSON.parse(row.reason) as NonNullable<Reason>);
}

function notYours(): AppError {
  return new AppError('ACCESS_REFUSED', 'this canary is not of this node, or not any more', {
    hint: 'Ask for the canary of your own node, and answer that.',
  });
}

function answered(): AppError {
  return new AppError('CONFLICT', 'this canary has been answered otherwise', {
    hint: 'Wait until the answer is judged; a canary has one.',
  });
}

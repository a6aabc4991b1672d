/**
 * The one zone of a node that an assignment tells custodians. A node is in several (`["DE", "EU"]`),
 * and terms name one or the other, so it is one that lies in all that job and data ask for.
 *
 * Where no single zone of the node does (one dataset says EU and another DE), the most exact one is
 * told, and the custodian that asks for the other refuses.
 */
import { isWithinZone, type NetworkJob } from '@helixmesh/protocol/sealing';
import type { Database } from '../../sql/database.ts';
import { stateOf } from '../node-rows.ts';
import { type Evidence, evidenceOf } from './evidence.ts';
import type { ZoneOf } from './handlers.ts';

export interface ZoneOfOptions {
  readonly database: Database;
  /** Operators whose statements the network vouches for: of others no zone is told. */
  readonly attestedOperators: ReadonlySet<string>;
}

export function createZoneOf({ database, attestedOperators }: ZoneOfOptions): ZoneOf {
  return async (nodeId, job, nowMs) => {
    const row = await database
      .selectFrom('nodes')
      .selectAll()
      .where('node_id', '=', nodeId)
      .executeTakeFirst();
    if (row === undefined) return null;
    const { registration, isZoneStatementVerified, isNetworkAttested } = stateOf(
      row,
      attestedOperators,
    );
    const statement = registration.zoneStatement?.document;
    if (!isZoneStatementVerified || !isNetworkAttested) return null;
    if (statement === undefined || statement.untilMs <= nowMs) return null;
    return zoneFor(statement.zones, job.document, await evidenceOf(database, job.id));
  };
}

/** The zone of a node's that all allow, else its most exact one; null for a node without zones. */
export function zoneFor(
  zones: readonly string[],
  job: NetworkJob,
  evidence: readonly Evidence[],
): string | null {
  const asked = [
    job.constraints.zones,
    ...evidence.flatMap(({ manifest, grant }) => [
      manifest.document.residency,
      manifest.document.terms.zones,
      grant?.document.terms.zones ?? null,
    ]),
  ].filter((list) => list !== null);
  const exactFirst = zones.toSorted((a, b) => b.length - a.length || (a < b ? -1 : 1));
  const fitting = exactFirst.find((zone) =>
    asked.every((list) => list.some((allowed) => isWithinZone(zone, allowed))),
  );
  return fitting ?? exactFirst[0] ?? null;
}

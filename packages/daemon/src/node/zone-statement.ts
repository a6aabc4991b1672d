/**
 * What an operator's wallet signs about a node: which one it is, and in which legal zones it stands.
 * The signed statement lies in the node's data folder; the node sends it with its registration.
 */
import { join } from 'node:path';
import { AppError, type Digest, type NodeId } from '@helixmesh/protocol';
import {
  encodeDocument,
  type Signed,
  signDocument,
  type WalletSigner,
} from '@helixmesh/protocol/sealing';
import {
  operatorIdSchema,
  ZONE_STATEMENT_TYPE,
  type ZoneStatement,
  zoneStatementSchema,
} from '@helixmesh/scheduler';
import { ZONE_STATEMENT_FILE } from '../coordination/profile.ts';
import { writeNew } from './init.ts';

export interface StatedZones {
  readonly network: Digest;
  readonly nodeId: NodeId;
  /** Each once, in any order. */
  readonly zones: readonly string[];
  /** Milliseconds since 1970. */
  readonly untilMs: number;
}

/** Throws USAGE for what is no zone. */
export async function signZoneStatement(
  operator: WalletSigner,
  { zones, ...stated }: StatedZones,
): Promise<Signed<ZoneStatement>> {
  const document = zoneStatementSchema.safeParse({
    type: ZONE_STATEMENT_TYPE,
    ...stated,
    operator: operatorIdSchema.parse(operator.address),
    zones: [...new Set(zones)].sort(),
  });
  if (document.success) return signDocument<ZoneStatement>(operator, document.data);
  throw new AppError('USAGE', `not the zones of a node: ${document.error.issues[0]?.message}`, {
    hint: 'Name legal zones, as EU, MX or US-CA.',
  });
}

/** Puts it where the node of the folder looks. Throws CONFLICT where one lies already. */
export function keepZoneStatement(
  dataDir: string,
  statement: Signed<ZoneStatement>,
): Promise<void> {
  return writeNew(join(dataDir, ZONE_STATEMENT_FILE), encodeDocument(statement), 0o644);
}

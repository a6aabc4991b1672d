/**
 * What an operator's wallet signs about a node: it answers for it, and these are the zones that the
 * node is in. The node shows it with its registration (`profile.ts`).
 */
import { AppError, type Digest, parseNodeId } from '@helixmesh/protocol';
import { encodeDocument, signDocument, type WalletSigner } from '@helixmesh/protocol/sealing';
import {
  operatorIdSchema,
  ZONE_PATTERN,
  ZONE_STATEMENT_TYPE,
  type ZoneStatement,
  zoneStatementSchema,
} from '@helixmesh/scheduler';

export interface Vouching {
  readonly network: Digest;
  /** The node, `node_<64 hex digits>`. */
  readonly node: string;
  /** In any order: `MX`, `EU`, `US-CA`. */
  readonly zones: readonly string[];
  /** Milliseconds since 1970. */
  readonly untilMs: number;
}

/** The signed statement in its canonical bytes. Throws USAGE for a node or zones that are none. */
export async function vouchFor(wallet: WalletSigner, vouching: Vouching): Promise<Uint8Array> {
  const { network, node, zones, untilMs } = vouching;
  const strange = zones.find((zone) => !ZONE_PATTERN.test(zone));
  if (zones.length === 0 || strange !== undefined) {
    throw new AppError('USAGE', `not a zone: ${JSON.stringify(strange ?? '')}`, {
      hint: 'Give zones as MX, EU or US-CA, parted by commas.',
    });
  }
  const document: ZoneStatement = {
    type: ZONE_STATEMENT_TYPE,
    network,
    nodeId: parseNodeId(node),
    operator: operatorIdSchema.parse(wallet.address),
    zones: [...new Set(zones)].sort(),
    untilMs,
  };
  const checked = zoneStatementSchema.safeParse(document);
  if (!checked.success) {
    throw new AppError('USAGE', `a statement of ${zones.length} zones`, {
      hint: 'Name the zones that the node is in, sixteen at most.',
    });
  }
  return encodeDocument(await signDocument(wallet, checked.data));
}

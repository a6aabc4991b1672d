/**
 * What a node says of itself when it registers, from its settings and from what its operator has
 * signed about it: `node.statement` in the data folder, if there is one.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '@helixmesh/protocol';
import type { Endpoint, Signed } from '@helixmesh/protocol/sealing';
import {
  operatorIdSchema,
  parseZoneStatement,
  SLOTS_MAX,
  ZONE_STATEMENT_BYTES_MAX,
  type ZoneStatement,
} from '@helixmesh/scheduler';
import { attemptSlots } from '../compute/slots.ts';
import { type NodeConfig, readLocation } from '../node/config-schema.ts';
import { formatEndpoint } from '../node/endpoint.ts';
import type { NodeProfile } from './membership.ts';

/** What `helixmesh node vouch` prints: canonical JSON, and perhaps a line break. */
export const ZONE_STATEMENT_FILE = 'node.statement';

const LINE_BREAK = 0x0a;

export interface ProfileOptions {
  /** What others dial. */
  readonly endpoint: Endpoint;
  readonly zoneStatement: Signed<ZoneStatement> | null;
}

/** Throws CONFIG_INVALID for a node that nobody answers for. */
export function profileOf(
  config: NodeConfig,
  { endpoint, zoneStatement }: ProfileOptions,
): NodeProfile {
  if (config.operator === null) {
    throw new AppError('CONFIG_INVALID', 'a node that registers needs an operator', {
      hint: 'Set node.operator to the address of the wallet that answers for the node.',
    });
  }
  return {
    operator: operatorIdSchema.parse(config.operator),
    endpoint: `https://${formatEndpoint(endpoint)}`,
    location: config.location === null ? null : (readLocation(config.location) ?? null),
    zoneStatement,
    services: [],
    prices: {
      coreHourMicroUsd: config.priceCoreHour,
      gpuHourMicroUsd: config.priceGpuHour,
      transferGibMicroUsd: config.priceTransferGib,
      storageGibMonthMicroUsd: config.priceStorageGibMonth,
    },
    // Where nothing of others is taken, a core is the least that an attempt could take.
    slots: config.roles.includes('compute')
      ? attemptSlots(config.cores)
      : Math.min(config.cores, SLOTS_MAX),
  };
}

/** Null where there is none. Throws CONFIG_INVALID for a file that holds something else. */
export async function readZoneStatement(dataDir: string): Promise<Signed<ZoneStatement> | null> {
  const path = join(dataDir, ZONE_STATEMENT_FILE);
  const file = await open(path).catch((error: { code?: string }) => {
    if (error.code === 'ENOENT') return null;
    throw AppError.from(error);
  });
  if (file === null) return null;
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(ZONE_STATEMENT_BYTES_MAX + 2));
    const end = buffer[bytesRead - 1] === LINE_BREAK ? bytesRead - 1 : bytesRead;
    return parseZoneStatement(buffer.subarray(0, end));
  } catch (cause) {
    throw new AppError('CONFIG_INVALID', `${path} is not a zone statement`, {
      hint: 'Put the file there as it was signed, or take it away.',
      cause,
    });
  } finally {
    await file.close();
  }
}

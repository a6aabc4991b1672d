/**
 * Tiers of the seed's capability matrix. A tier is a name for people and for owner policies; whether
 * a node can run a task is decided by its hardware, never by its tier.
 *
 * The matrix gives disk sizes as examples. Those of Storage and AI tell these tiers from Basic and
 * GPU and are lower bounds; the others bind nobody.
 */
import type { Tier } from '@helixmesh/protocol/sealing';
import type { Hardware } from './registration.ts';

const TB = 1e12;
const STORAGE_MIN_BYTES = 50 * TB;
const AI_MIN_BYTES = 10 * TB;
/** Services that make a GPU node an AI node. */
export const AI_SERVICES: readonly string[] = ['alphagenome', 'claude'];

export function tierOf(node: {
  readonly hardware: Pick<Hardware, 'diskBytes' | 'gpus'>;
  readonly services: readonly string[];
}): Tier {
  const { diskBytes, gpus } = node.hardware;
  if (gpus.length === 0) return diskBytes >= STORAGE_MIN_BYTES ? 'storage' : 'basic';
  const servesModels = node.services.some((service) => AI_SERVICES.includes(service));
  return servesModels && diskBytes >= AI_MIN_BYTES ? 'ai' : 'gpu';
}

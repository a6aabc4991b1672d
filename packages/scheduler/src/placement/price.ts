/** What a node's price list makes of an expected use. */
import type { Prices } from '../node/registration.ts';
import type { Usage } from './request.ts';

const HOUR_SECONDS = 3_600;
/** Transfer is priced by the whole MiB, which keeps the products exact numbers. */
const MIB = 2 ** 20;
const MIB_PER_GIB = 1_024;

/** Whole micro-USD; each part is rounded up, so a quote never falls short of the use. */
export function quoteMicroUsd(prices: Prices, usage: Usage): number {
  const transferMib = Math.ceil(usage.transferBytes / MIB);
  return (
    Math.ceil((usage.coreSeconds * prices.coreHourMicroUsd) / HOUR_SECONDS) +
    Math.ceil((usage.gpuSeconds * prices.gpuHourMicroUsd) / HOUR_SECONDS) +
    Math.ceil((transferMib * prices.transferGibMicroUsd) / MIB_PER_GIB)
  );
}

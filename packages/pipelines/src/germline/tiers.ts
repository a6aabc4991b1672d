/**
 * The builtin `tell-tiers`: what the filters make of the calls of one shard, as a digest.
 *
 * The canonical digest of a VCF file leaves QUAL out, since its last digits vary where it means
 * nothing. The filters go by it, so calls that travel from the node that made them to the one that
 * filters them bear this beside them: a file in which QUAL was changed has the same canonical digest
 * and other tiers.
 *
 * Args: `{ calls, caller }`. Writes TIERS_JSON: the number of records and the SHA-256 over a line for
 * each of CHROM, POS, REF, ALT, its tier or why it is dropped, and its QUAL to 4 significant digits
 * where it is kept.
 */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson } from '@helixmesh/protocol';
import { z } from 'zod';
import { readLineBatches } from '../formats/gzip/lines.ts';
import type { BuiltinContext } from '../task/builtin.ts';
import { filterCall } from './call-filter.ts';
import type { Caller } from './call-step.ts';

export const TIERS_JSON = 'tiers.json';
const TIERS_VERSION = 1;
/** As in canonical VCF. */
const SIGNIFICANT_DIGITS = 4;

const argsSchema = z.strictObject({
  calls: z.string(),
  caller: z.enum(['freebayes', 'bcftools']),
});

export async function tellTiers(context: BuiltinContext): Promise<void> {
  const { calls, caller } = argsSchema.parse(context.args);
  const hash = createHash('sha256');
  let records = 0;
  for await (const lines of readLineBatches(join(context.folder, calls))) {
    for (const line of lines) {
      if (line === '' || line.startsWith('#')) continue;
      hash.update(`${tierLine(line, caller)}\n`);
      records += 1;
    }
  }
  const tiers = { formatVersion: TIERS_VERSION, records, sha256: hash.digest('hex') };
  await writeFile(join(context.folder, TIERS_JSON), `${canonicalJson(tiers)}\n`);
  context.progress(1);
}

function tierLine(line: string, caller: Caller): string {
  const [chrom, pos, , ref, alt, qual] = line.split('\t', 6);
  const outcome = filterCall(line, caller);
  if (outcome.status === 'dropped') return [chrom, pos, ref, alt, outcome.reason].join('\t');
  const tier = outcome.isPassed ? 'PASS' : 'LowConf';
  const shown = Number(qual).toPrecision(SIGNIFICANT_DIGITS);
  return [chrom, pos, ref, alt, tier, shown].join('\t');
}

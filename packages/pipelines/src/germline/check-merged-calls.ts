/**
 * The builtin `check-merged-calls`: the barrier's proof that shards joined without a seam.
 *
 * Args: `{ calls }`. Throws DUPLICATE_VARIANT when one CHROM, POS, REF, ALT stands twice, and
 * RESULT_DIFFERS when positions run back or a contig comes twice. Says the contig alone: which
 * position it is would tell about the sample.
 */
import { join } from 'node:path';
import { AppError } from '@helixmesh/protocol';
import { z } from 'zod';
import { readLineBatches } from '../formats/gzip/lines.ts';
import type { BuiltinContext } from '../task/builtin.ts';

const argsSchema = z.strictObject({ calls: z.string() });
const HINT = 'Keep the task folder and report this; the shards overlap in an unforeseen way.';

export async function checkMergedCalls(context: BuiltinContext): Promise<void> {
  const { calls } = argsSchema.parse(context.args);
  const check = new SeamCheck();
  for await (const lines of readLineBatches(join(context.folder, calls))) {
    for (const line of lines) if (line !== '' && !line.startsWith('#')) check.add(line);
  }
  context.progress(1);
}

/** Takes the records of one file in order. */
export class SeamCheck {
  readonly #finished = new Set<string>();
  #refName = '';
  #pos1 = 0;
  #alleles = new Set<string>();

  add(line: string): void {
    const [refName = '', pos = '', , ref = '', alt = ''] = line.split('\t', 5);
    const pos1 = Number(pos);
    if (refName !== this.#refName) {
      if (this.#finished.has(refName)) throw broken(refName, 'comes twice');
      this.#finished.add(this.#refName);
      this.#refName = refName;
      this.#pos1 = 0;
    }
    if (pos1 < this.#pos1) throw broken(refName, 'is out of order');
    if (pos1 > this.#pos1) this.#alleles = new Set();
    this.#pos1 = pos1;
    const allele = `${ref}\t${alt}`;
    if (this.#alleles.has(allele)) {
      throw new AppError('DUPLICATE_VARIANT', `a variant of ${refName} stands twice in the calls`, {
        hint: HINT,
        details: { refName },
      });
    }
    this.#alleles.add(allele);
  }
}

function broken(refName: string, what: string): AppError {
  return new AppError('RESULT_DIFFERS', `${refName} ${what} in the joined calls`, {
    hint: HINT,
    details: { refName },
  });
}

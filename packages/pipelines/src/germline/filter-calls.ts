/**
 * The builtin `filter-calls`: writes `filtered.vcf.gz` and `variants.json`.
 *
 * Args: `{ calls, caller }`. One pass in constant memory. INPUT_WRONG_FORMAT when the file is not
 * a VCF of one sample.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, canonicalJson } from '@helixmesh/protocol';
import { z } from 'zod';
import { CompressedWriter } from '../formats/gzip/bgzf-writer.ts';
import { readLineBatches } from '../formats/gzip/lines.ts';
import type { BuiltinContext } from '../task/builtin.ts';
import { filterCall, filteredHeader } from './call-filter.ts';
import type { Caller } from './call-step.ts';
import { contigKind } from './contig-kind.ts';
import { VariantCounts } from './variant-counts.ts';

const argsSchema = z.strictObject({
  calls: z.string(),
  caller: z.enum(['freebayes', 'bcftools']),
});

export async function filterCalls(context: BuiltinContext): Promise<void> {
  const { calls, caller } = argsSchema.parse(context.args);
  const counts = new VariantCounts(caller);
  const writer = new CompressedWriter(join(context.folder, 'filtered.vcf.gz'), {
    compression: 'bgzf',
  });
  try {
    await filterInto(writer, { path: join(context.folder, calls), caller, counts });
  } finally {
    writer.close();
  }
  const path = join(context.folder, 'variants.json');
  await writeFile(path, `${canonicalJson(counts.model())}\n`);
  context.progress(1);
}

interface Work {
  readonly path: string;
  readonly caller: Caller;
  readonly counts: VariantCounts;
}

async function filterInto(writer: CompressedWriter, work: Work): Promise<void> {
  const header: string[] = [];
  let isHeader = true;
  for await (const lines of readLineBatches(work.path)) {
    for (const line of lines) {
      if (line === '') continue;
      if (line.startsWith('##')) {
        header.push(line);
        continue;
      }
      if (isHeader) {
        writeHeader(writer, { header, columns: line, caller: work.caller });
        isHeader = false;
        continue;
      }
      const outcome = filterCall(line, work.caller);
      work.counts.add(line, outcome);
      if (outcome.status === 'kept') writer.write(`${outcome.line}\n`);
    }
  }
  if (isHeader) throw notCalls('has no #CHROM line');
}

function writeHeader(
  writer: CompressedWriter,
  { header, columns, caller }: { header: string[]; columns: string; caller: Caller },
): void {
  if (!columns.startsWith('#CHROM\t') || columns.split('\t').length !== 10) {
    throw notCalls('is not a VCF of one sample');
  }
  const hasMitochondrion = header.some((line) => {
    const name = /^##contig=<ID=([^,>]+)/.exec(line)?.[1];
    return name !== undefined && contigKind(name) === 'MT';
  });
  for (const line of filteredHeader(header, { caller, hasMitochondrion })) {
    writer.write(`${line}\n`);
  }
  writer.write(`${columns}\n`);
}

function notCalls(what: string): AppError {
  return new AppError('INPUT_WRONG_FORMAT', `the file of calls ${what}`, {
    hint: 'Run the calling step again.',
  });
}

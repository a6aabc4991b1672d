/**
 * Reads the figures that fastp 0.23 and samtools 1.16 print. Nothing is computed here: the numbers
 * are the tools' own.
 */
import { AppError } from '@helixmesh/protocol';
import { z } from 'zod';

const count = z.int().min(0);
const rate = z.number().min(0).max(1);
const curve = z.array(z.number().min(0));

const passSchema = z.object({
  total_reads: count,
  total_bases: count,
  q20_rate: rate,
  q30_rate: rate,
  read1_mean_length: z.number(),
  read2_mean_length: z.number().optional(),
  gc_content: rate,
});

const cyclesSchema = z.object({
  quality_curves: z.object({ mean: curve }),
  content_curves: z.object({ A: curve, C: curve, G: curve, T: curve, N: curve }),
});

const fastpSchema = z.object({
  summary: z.object({ before_filtering: passSchema, after_filtering: passSchema }),
  filtering_result: z.object({
    passed_filter_reads: count,
    low_quality_reads: count,
    too_many_N_reads: count,
    too_short_reads: count,
  }),
  duplication: z.object({ rate: rate }).optional(),
  adapter_cutting: z
    .object({ adapter_trimmed_reads: count, adapter_trimmed_bases: count })
    .optional(),
  read1_before_filtering: cyclesSchema,
  read2_before_filtering: cyclesSchema.optional(),
});
export type FastpReport = z.infer<typeof fastpSchema>;
export type FastpCycles = z.infer<typeof cyclesSchema>;

export function parseFastp(text: string): FastpReport {
  return parsed(fastpSchema, text, 'fastp.json');
}

const flagCountsSchema = z.object({
  primary: count,
  secondary: count,
  supplementary: count,
  'primary duplicates': count,
  'primary mapped': count,
  'paired in sequencing': count,
  'properly paired': count,
});
const flagstatSchema = z.object({
  'QC-passed reads': flagCountsSchema,
  'QC-failed reads': flagCountsSchema,
});
export type FlagCounts = z.infer<typeof flagCountsSchema>;

/** `samtools flagstat -O json`, reads that failed and passed the vendor's check added up. */
export function parseFlagstat(text: string): FlagCounts {
  const both = parsed(flagstatSchema, text, 'flagstat.json');
  const failed = both['QC-failed reads'];
  return Object.fromEntries(
    Object.entries(both['QC-passed reads']).map(([name, value]) => [
      name,
      value + failed[name as keyof FlagCounts],
    ]),
  ) as FlagCounts;
}

export interface CoverageRow {
  readonly refName: string;
  readonly lengthBases: number;
  /** Bases covered at least once. */
  readonly coveredBases: number;
  readonly meanDepth: number;
}

/** `samtools coverage`: without duplicates, secondary and failed alignments. */
export function parseCoverage(text: string): readonly CoverageRow[] {
  const [header = '', ...lines] = text.split('\n').filter((line) => line !== '');
  const columns = header.replace(/^#/, '').split('\t');
  const at = (name: string) => columns.indexOf(name);
  const rows = lines.map((line) => {
    const fields = line.split('\t');
    const number = (name: string) => Number(fields[at(name)]);
    return {
      refName: fields[at('rname')] ?? '',
      lengthBases: number('endpos'),
      coveredBases: number('covbases'),
      meanDepth: number('meandepth'),
    };
  });
  const isSound = rows.every(({ lengthBases, coveredBases, meanDepth, refName }) => {
    return refName !== '' && lengthBases > 0 && coveredBases >= 0 && meanDepth >= 0;
  });
  if (!isSound) throw unreadable('coverage.tsv', 'a row lacks a figure');
  return rows;
}

export interface StatsReport {
  /** The section SN, values as numbers. */
  readonly summary: ReadonlyMap<string, number>;
  /** Bases by exact depth from 1; the last entry holds all deeper ones too. */
  readonly basesByDepth: ReadonlyMap<number, number>;
  /** Pairs by insert size in bases. */
  readonly pairsByInsertSize: readonly { readonly size: number; readonly pairs: number }[];
}

/** `samtools stats -d`: duplicates left out, as in `samtools coverage`. */
export function parseStats(text: string): StatsReport {
  const summary = new Map<string, number>();
  const basesByDepth = new Map<number, number>();
  const pairsByInsertSize: { size: number; pairs: number }[] = [];
  for (const line of text.split('\n')) {
    const [section, first = '', second = '', third] = line.split('\t');
    if (section === 'SN') summary.set(first.replace(/:$/, ''), Number(second));
    if (section === 'COV') addTo(basesByDepth, Number(second), Number(third));
    if (section === 'IS' && Number(second) > 0) {
      pairsByInsertSize.push({ size: Number(first), pairs: Number(second) });
    }
  }
  if (!summary.has('raw total sequences')) throw unreadable('stats.txt', 'no section SN');
  return { summary, basesByDepth, pairsByInsertSize };
}

/** The figures of `samtools markdup -f`, e.g. `ESTIMATED_LIBRARY_SIZE`. */
export function parseMarkdup(text: string): ReadonlyMap<string, number> {
  const figures = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [name = '', value] = line.split(': ');
    if (/^\d+$/.test(value ?? '')) figures.set(name, Number(value));
  }
  return figures;
}

function addTo(counts: Map<number, number>, key: number, value: number): void {
  counts.set(key, (counts.get(key) ?? 0) + value);
}

function parsed<T>(schema: z.ZodType<T>, text: string, file: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw unreadable(file, 'not JSON', cause);
  }
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0];
  throw unreadable(file, `${issue?.path.join('.')}: ${issue?.message}`);
}

function unreadable(file: string, why: string, cause?: unknown): AppError {
  return new AppError('INPUT_WRONG_FORMAT', `cannot read ${file}: ${why}`, {
    hint: 'Install the tool versions that `helixmesh doctor` names.',
    cause,
  });
}

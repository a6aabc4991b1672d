/** The samples of one invocation: from flags, or from a sheet. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { AppError, parseSampleId } from '@helixmesh/protocol';
import { parse as parseCsv } from 'csv-parse/sync';

export type SexOption = 'infer' | 'XX' | 'XY';

export interface SampleOptions {
  readonly sample?: string;
  readonly r1?: string;
  readonly r2?: string;
  readonly sex: SexOption;
  readonly samplesheet?: string;
}

export interface Sample {
  readonly sampleId: string;
  /** Absolute paths. */
  readonly r1: string;
  readonly r2: string | null;
  readonly sex: SexOption;
}

const COLUMNS = ['sample', 'r1', 'r2', 'sex'];

export async function readSamples(options: SampleOptions): Promise<Sample[]> {
  if (options.samplesheet !== undefined) return readSheet(options);
  const { sample, r1, r2, sex } = options;
  if (sample === undefined || r1 === undefined) {
    throw usage('--sample and --r1 are missing', 'Give --sample and --r1, or --samplesheet.');
  }
  return [
    {
      sampleId: parseSampleId(sample),
      r1: resolve(r1),
      r2: r2 === undefined ? null : resolve(r2),
      sex,
    },
  ];
}

async function readSheet(options: SampleOptions): Promise<Sample[]> {
  const path = options.samplesheet ?? '';
  if (options.sample !== undefined || options.r1 !== undefined || options.r2 !== undefined) {
    throw usage('--samplesheet and --sample/--r1/--r2 exclude each other', 'Give one of them.');
  }
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw new AppError('INPUT_NOT_FOUND', `cannot read ${path}`, {
      hint: 'Check the path.',
      cause,
    });
  });
  const rows = parseRows(path, text);
  if (rows.length === 0) {
    throw new AppError('INPUT_EMPTY', `${path} has no samples`, {
      hint: `Columns: ${COLUMNS.join(',')}.`,
    });
  }
  const seen = new Map<string, number>();
  return rows.map(({ record, line }) => {
    const sample = rowSample(path, { record, line, sex: options.sex });
    const before = seen.get(sample.sampleId);
    if (before !== undefined) {
      throw malformed(path, line, `sample ${sample.sampleId} stands in line ${before} already`);
    }
    seen.set(sample.sampleId, line);
    return sample;
  });
}

interface Row {
  readonly record: Readonly<Record<string, string>>;
  readonly line: number;
}

function parseRows(path: string, text: string): Row[] {
  try {
    const rows = parseCsv(text, {
      columns: (header: string[]) => header.map((name) => name.trim().toLowerCase()),
      bom: true,
      trim: true,
      info: true,
      skip_empty_lines: true,
    }) as unknown as { record: Record<string, string>; info: { lines: number } }[];
    return rows.map(({ record, info }) => ({ record, line: info.lines }));
  } catch (cause) {
    throw new AppError('INPUT_MALFORMED', `${path}: ${(cause as Error).message}`, {
      hint: 'Give a CSV file with the header sample,r1,r2,sex.',
      cause,
    });
  }
}

function rowSample(path: string, { record, line, sex }: Row & { sex: SexOption }): Sample {
  const unknown = Object.keys(record).find((name) => !COLUMNS.includes(name));
  if (unknown !== undefined) throw malformed(path, 1, `unknown column ${unknown}`);
  const { sample, r1, r2 } = record;
  if (!sample || !r1) throw malformed(path, line, 'sample or r1 is empty');
  const given = record['sex'] || sex;
  if (given !== 'infer' && given !== 'XX' && given !== 'XY') {
    throw malformed(path, line, `sex is ${given}, not XX, XY or infer`);
  }
  const folder = dirname(path);
  try {
    return {
      sampleId: parseSampleId(sample),
      r1: resolve(folder, r1),
      r2: r2 ? resolve(folder, r2) : null,
      sex: given,
    };
  } catch (cause) {
    throw malformed(path, line, (cause as Error).message);
  }
}

function malformed(path: string, line: number, what: string): AppError {
  return new AppError('INPUT_MALFORMED', `${path} line ${line}: ${what}`, {
    hint: 'Columns: sample,r1,r2,sex; paths are relative to the sheet.',
  });
}

function usage(message: string, hint: string): AppError {
  return new AppError('USAGE', message, { hint });
}

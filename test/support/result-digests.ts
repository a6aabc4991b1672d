/** What a run has given, by content: the same for the same analysis whatever happened to it. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalDigest, type OutputFormat } from '@helixmesh/pipelines';

const FORMATS: readonly (readonly [suffix: string, format: OutputFormat])[] = [
  ['.bam', 'bam'],
  ['.vcf.gz', 'vcf'],
  ['.fastp.json', 'fastp-json'],
  ['.json', 'json'],
  ['.pdf', 'opaque'],
  ['.html', 'opaque'],
];
const INDEXES = ['.bai', '.tbi'];
/** It tells when each step ran, and so differs between runs on purpose. */
const PROVENANCE = 'ro-crate-metadata.json';

/**
 * Canonical digest of each file of an output folder by its name; of an index the presence alone.
 * The report bears the day, so those who compare across midnight are told the day apart.
 */
export async function resultDigests(outDir: string): Promise<Record<string, string>> {
  const names = (await readdir(outDir)).filter((name) => name !== PROVENANCE).sort();
  const digests = await Promise.all(names.map((name) => digestOf(outDir, name)));
  return Object.fromEntries(names.map((name, i) => [name, digests[i] ?? '']));
}

async function digestOf(outDir: string, name: string): Promise<string> {
  if (INDEXES.some((suffix) => name.endsWith(suffix))) return 'an index';
  const format = FORMATS.find(([suffix]) => name.endsWith(suffix))?.[1];
  if (format === undefined) return 'not a deliverable';
  return (await canonicalDigest(join(outDir, name), format)).digest;
}

/** The reference of a run: a bundle by name, or made on the spot from files. */

import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { AppError } from '@helixmesh/protocol';
import type { Context } from './context.ts';

export interface ReferenceOptions {
  readonly reference: string;
  readonly gff?: string;
  readonly clinvar?: string;
  readonly dbsnp?: string;
  readonly gnomad?: string;
  readonly par?: string;
}

/**
 * The name or digest of a prepared bundle. A FASTA file is prepared now, under a name of its own,
 * and found again by content the next time.
 */
export async function ensureReference(
  context: Context,
  options: ReferenceOptions,
): Promise<string> {
  const { reference, ...annotation } = options;
  if (!looksLikeFile(reference)) {
    const given = Object.entries(pick(annotation)).map(([name]) => `--${name}`);
    if (given.length > 0) {
      throw new AppError(
        'USAGE',
        `${given.join(', ')} cannot be added to the bundle ${reference}`,
        {
          hint: 'Give a FASTA file with them, or prepare a bundle with `helixmesh reference add`.',
        },
      );
    }
    return reference;
  }
  const bundle = await prepareBundle(context, {
    name: nameFor(reference),
    fasta: reference,
    ...annotation,
  });
  return bundle.digest;
}

export interface BundleSources extends Omit<ReferenceOptions, 'reference'> {
  readonly name: string;
  readonly fasta: string;
}

/** Prepares a bundle with progress on standard error. */
export async function prepareBundle(context: Context, sources: BundleSources) {
  const say = (text: string) => {
    if (!context.quiet) process.stderr.write(`reference ${sources.name}: ${text}\n`);
  };
  const files = pick(sources);
  const { addReference } = await import('@helixmesh/pipelines');
  return addReference(
    { name: sources.name, fasta: resolve(sources.fasta), ...files },
    {
      storeDir: context.paths.referenceRoot,
      onProgress: (event) => say(event.kind === 'stage' ? event.stage : event.message),
    },
  );
}

function looksLikeFile(reference: string): boolean {
  return (
    reference.includes('/') || /\.(fa|fasta|fna)(\.gz)?$/i.test(reference) || existsSync(reference)
  );
}

function nameFor(path: string): string {
  return basename(path).replace(/\.(fa|fasta|fna)(\.gz)?$/i, '');
}

/** The annotation files that were given, as absolute paths. */
function pick({ gff, clinvar, dbsnp, gnomad, par }: Omit<ReferenceOptions, 'reference'>) {
  const given = Object.entries({ gff, clinvar, dbsnp, gnomad, par }).flatMap(([name, path]) =>
    path === undefined ? [] : [[name, resolve(path)] as const],
  );
  return Object.fromEntries(given) as Omit<ReferenceOptions, 'reference'>;
}

/**
 * `helixmesh reference add`: prepares a bundle aside and publishes it by one rename under its
 * content digest. Killed in the middle it leaves nothing under a final name.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AppError, type Digest } from '@helixmesh/protocol';
import type { Contig, ReferenceBundle, Region } from '../germline/input.ts';
import { ANNOTATION_KINDS, prepareAnnotation } from './annotation-vcf.ts';
import { knownPar } from './assemblies.ts';
import { checksumFile, checksumFiles, checksumStream } from './checksum.ts';
import { prepareFasta } from './fasta.ts';
import { prepareGff } from './gff.ts';
import { bundleDigest, MANIFEST_VERSION, type ReferenceManifest } from './manifest.ts';
import { hasTool, runTools } from './run-tools.ts';
import { buildSnpeffDatabase } from './snpeff-database.ts';
import { readSource } from './source-stream.ts';
import {
  bundleFolder,
  entries,
  readManifestFile,
  requireReferenceName,
  resolveReference,
  storePaths,
  toBundle,
  verifyBundle,
  writeName,
} from './store.ts';
import { makeTempFolder, removeStaleFolders } from './temp-folders.ts';

export interface AddReferenceOptions {
  readonly name: string;
  readonly fasta: string;
  readonly gff?: string | undefined;
  readonly clinvar?: string | undefined;
  readonly dbsnp?: string | undefined;
  readonly gnomad?: string | undefined;
  /** BED of the pseudo-autosomal regions; without it they are known for the `ASSEMBLIES`. */
  readonly par?: string | undefined;
}

export interface AddReferenceContext {
  readonly storeDir: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ReferenceProgress) => void) | undefined;
}

export type ReferenceProgress =
  /** A stage begins. */
  | { readonly kind: 'stage'; readonly stage: string }
  /** Something that the user should know. */
  | { readonly kind: 'note'; readonly message: string };

const SOURCE_KINDS = ['fasta', 'gff', ...ANNOTATION_KINDS, 'par'] as const;
type SourceKind = (typeof SOURCE_KINDS)[number];
type Source = ReferenceManifest['sources'][number];

/** Throws the AppErrors of bad input, TOOL_MISSING, TOOL_FAILED, DISK_FULL, OUTPUT_UNWRITABLE. */
export async function addReference(
  options: AddReferenceOptions,
  context: AddReferenceContext,
): Promise<ReferenceBundle> {
  requireReferenceName(options.name);
  const { temp, bundles } = storePaths(context.storeDir);
  const note = (message: string) => context.onProgress?.({ kind: 'note', message });
  try {
    await mkdir(temp, { recursive: true });
    await mkdir(bundles, { recursive: true });
    await removeStaleFolders(temp);
    stage(context, 'checksums');
    const sources = await readSources(options, context.signal);
    const known = await sameSources(sources, context);
    if (known !== null) {
      note(`the same files are already prepared as ${bundleDigest(known)}; nothing was built`);
      return await publishName(options.name, known, context);
    }
    const folder = await makeTempFolder(temp);
    try {
      const prepared = await prepare(folder, options, { sources, context });
      const manifest = await publish(folder, prepared, context);
      for (const message of prepared.notes) note(message);
      return await publishName(options.name, manifest, context);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  } catch (error) {
    if (context.signal?.aborted !== true) throw AppError.from(error);
    throw new AppError('CANCELED', 'adding the reference was stopped; nothing was kept', {
      hint: 'Run the same command again.',
      cause: error,
    });
  }
}

function stage(context: AddReferenceContext, name: string): void {
  context.signal?.throwIfAborted();
  context.onProgress?.({ kind: 'stage', stage: name });
}

async function readSources(
  options: AddReferenceOptions,
  signal?: AbortSignal,
): Promise<readonly Source[]> {
  const given = SOURCE_KINDS.flatMap((kind) => {
    const path = options[kind];
    return path === undefined ? [] : [{ kind, path }];
  });
  for (const { kind, path } of given) {
    // Opens the file, so that all absent, empty and truncated ones are told before any work.
    for await (const _ of readSource({ path, label: `--${kind}` }, signal)) break;
  }
  const sums = await checksumFiles(
    given.map(({ path }) => path),
    signal,
  );
  return given.map(({ kind, path }, index) => ({
    kind,
    fileName: basename(path),
    digest: (sums[index] as { digest: Digest }).digest,
    fileDate: null,
  }));
}

/** A whole bundle that was made of the same files and could not become richer now. */
async function sameSources(
  sources: readonly Source[],
  context: AddReferenceContext,
): Promise<ReferenceManifest | null> {
  const { bundles } = storePaths(context.storeDir);
  const wanted = sourceKey(sources);
  const canHgvs = sources.some((s) => s.kind === 'gff') && (await hasTool('snpeff'));
  for (const hex of await entries(bundles)) {
    const folder = join(bundles, hex);
    try {
      const manifest = await readManifestFile(join(folder, 'manifest.json'), hex);
      if (sourceKey(manifest.sources) !== wanted || manifest.hasHgvs !== canHgvs) continue;
      if (bundleDigest(manifest) !== `sha256:${hex}`) continue;
      await verifyBundle(folder, manifest, { name: hex, signal: context.signal });
      return manifest;
    } catch (error) {
      context.signal?.throwIfAborted();
      if (error instanceof AppError && error.code === 'REFERENCE_CORRUPT') continue; // Rebuilt.
      throw error;
    }
  }
  return null;
}

function sourceKey(sources: readonly Source[]): string {
  return sources
    .map(({ kind, digest }) => `${kind} ${digest}`)
    .sort()
    .join('\n');
}

interface Preparation {
  readonly sources: readonly Source[];
  readonly context: AddReferenceContext;
}

async function prepare(
  folder: string,
  options: AddReferenceOptions,
  { sources, context }: Preparation,
): Promise<ReferenceManifest> {
  const { signal } = context;
  const notes: string[] = [];
  const content = new Map<string, Digest>();
  stage(context, 'fasta');
  const fasta = { path: options.fasta, label: '--fasta' };
  const contigs = await prepareFasta(fasta, join(folder, 'ref.fa'), signal);
  content.set('ref.fa', await checksumFile(join(folder, 'ref.fa'), signal));
  const known = knownPar(contigs);
  const par =
    options.par === undefined ? (known?.regions ?? []) : await readPar(options.par, contigs);
  await indexFasta(folder, context);
  const names = ['ref.fa', 'ref.fa.fai', 'ref.dict'];
  names.push(...['amb', 'ann', 'bwt', 'pac', 'sa'].map((end) => `ref.fa.${end}`));

  const work = { folder, contigs, signal };
  let hasHgvs = false;
  if (options.gff !== undefined) {
    stage(context, 'genes');
    notes.push(...(await prepareGff(options.gff, work)));
    names.push('genes.gff3.gz', 'genes.gff3.gz.tbi');
    stage(context, 'snpeff');
    const database = await buildSnpeffDatabase(work);
    hasHgvs = database !== null;
    names.push(...(database ?? []));
  }
  if (!hasHgvs) notes.push(noHgvs(options.gff !== undefined));
  const fileDates = new Map<SourceKind, string | null>();
  for (const kind of ANNOTATION_KINDS) {
    const path = options[kind];
    if (path === undefined) continue;
    stage(context, kind);
    const prepared = await prepareAnnotation(kind, path, work);
    fileDates.set(kind, prepared.fileDate);
    notes.push(...prepared.notes);
    names.push(prepared.file, `${prepared.file}.tbi`);
  }
  for (const name of names.filter((n) => n.endsWith('.gz'))) {
    content.set(name, await contentDigest(folder, name, signal));
  }
  stage(context, 'checksums');
  const sums = await checksumFiles(
    names.map((name) => join(folder, name)),
    signal,
  );
  return {
    version: MANIFEST_VERSION,
    contigs: [...contigs],
    assembly: known?.assembly ?? null,
    par: [...par],
    hasHgvs,
    files: sums.map(({ digest, sizeBytes }, index) => {
      const name = names[index] as string;
      return { name, digest, sizeBytes, content: content.get(name) ?? null };
    }),
    sources: sources.map((s) => ({ ...s, fileDate: fileDates.get(s.kind) ?? null })),
    notes,
  };
}

function noHgvs(hasGff: boolean): string {
  return hasGff
    ? 'annotation will be without HGVS c. and p.: Java or SnpEff is missing (`helixmesh doctor`).'
    : 'annotation will be without consequences and HGVS: no gene models were given (--gff).';
}

async function indexFasta(folder: string, context: AddReferenceContext): Promise<void> {
  const options = { cwd: folder, signal: context.signal };
  stage(context, 'fai');
  await runTools([{ tool: 'samtools', args: ['faidx', 'ref.fa'] }], options);
  // From standard input: given a file it would write the file's path into the dictionary.
  const feed = readSource({ path: join(folder, 'ref.fa'), label: 'ref.fa' }, context.signal);
  const stdoutFile = join(folder, 'ref.dict');
  await runTools([{ tool: 'samtools', args: ['dict', '-'] }], { ...options, feed, stdoutFile });
  stage(context, 'bwa index');
  await runTools([{ tool: 'bwa', args: ['index', 'ref.fa'] }], options);
}

async function contentDigest(folder: string, name: string, signal?: AbortSignal): Promise<Digest> {
  let digest: Digest | null = null;
  await runTools([{ tool: 'bgzip', args: ['-dc', name] }], {
    cwd: folder,
    signal,
    take: async (stdout) => {
      digest = await checksumStream(stdout, signal);
    },
  });
  if (digest === null) throw new AppError('INTERNAL', `${name} was not hashed`);
  return digest;
}

async function readPar(path: string, contigs: readonly Contig[]): Promise<readonly Region[]> {
  const regions: Region[] = [];
  for (const [index, line] of (await readFile(path, 'utf8')).split('\n').entries()) {
    if (line.trim() === '' || /^(#|track|browser)/.test(line)) continue;
    const [refName = '', start = '', end = ''] = line.trim().split(/\s+/);
    const contig = contigs.find((c) => c.name === refName);
    const isRegion = /^\d+$/.test(start) && /^\d+$/.test(end) && Number(start) < Number(end);
    if (!isRegion || contig === undefined || Number(end) > contig.lengthBases) {
      throw new AppError('INPUT_MALFORMED', `--par: line ${index + 1} is no region of the FASTA`, {
        hint: 'Give BED lines (contig, start, end; 0-based) with the names of the FASTA.',
      });
    }
    regions.push({ refName, start: Number(start), end: Number(end) });
  }
  return regions;
}

/** Moves the folder to its final name, or keeps the whole bundle that stands there. */
async function publish(
  folder: string,
  manifest: ReferenceManifest,
  context: AddReferenceContext,
): Promise<ReferenceManifest> {
  stage(context, 'publish');
  const target = bundleFolder(context.storeDir, bundleDigest(manifest));
  await writeFile(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  if (existsSync(target)) {
    const note = (message: string) => context.onProgress?.({ kind: 'note', message });
    try {
      const old = await readManifestFile(
        join(target, 'manifest.json'),
        manifest.version.toString(),
      );
      await verifyBundle(target, old, { name: target, signal: context.signal });
      note('a bundle with the same content is already there; it is kept');
      return old;
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'REFERENCE_CORRUPT')) throw error;
      note('the broken bundle with this digest is replaced');
      const aside = join(await makeTempFolder(storePaths(context.storeDir).temp), 'broken');
      await rename(target, aside);
      await rename(folder, target);
      await rm(join(aside, '..'), { recursive: true, force: true });
      return manifest;
    }
  }
  await rename(folder, target);
  return manifest;
}

async function publishName(
  name: string,
  manifest: ReferenceManifest,
  context: AddReferenceContext,
): Promise<ReferenceBundle> {
  const digest = bundleDigest(manifest);
  const before = await resolveReference(context.storeDir, name).catch(() => null);
  if (before !== null && before !== digest) {
    const message = `${name} pointed at ${before} before; that bundle is kept`;
    context.onProgress?.({ kind: 'note', message });
  }
  if (before !== digest) await writeName(context.storeDir, name, digest);
  return toBundle(context.storeDir, name, manifest);
}

/**
 * The reference store: `bundles/<hex>/` by content digest, `names/<name>.json` pointing at them and
 * `tmp/` for bundles in the making. A bundle appears by one rename and is never changed; every use
 * checks every file's sha256.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, DIGEST_PATTERN, type Digest } from '@helixmesh/protocol';
import { z } from 'zod';
import type { FileRef, ReferenceBundle } from '../germline/input.ts';
import { checksumFiles } from './checksum.ts';
import { bundleDigest, manifestSchema, type ReferenceManifest } from './manifest.ts';

const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const pointerSchema = z.strictObject({ digest: z.string().regex(DIGEST_PATTERN) });

export interface ReferenceListing {
  readonly name: string;
  readonly digest: Digest;
  readonly contigCount: number;
  readonly totalBases: number;
  readonly sizeBytes: number;
  readonly annotations: readonly string[];
}

/** Folders of a store. */
export function storePaths(storeDir: string) {
  return {
    bundles: join(storeDir, 'bundles'),
    names: join(storeDir, 'names'),
    temp: join(storeDir, 'tmp'),
  };
}

export function bundleFolder(storeDir: string, digest: Digest): string {
  return join(storePaths(storeDir).bundles, digest.replace('sha256:', ''));
}

/** Throws USAGE for a name that cannot be a file name everywhere. */
export function requireReferenceName(name: string): void {
  if (NAME_PATTERN.test(name) && !name.startsWith('sha256')) return;
  throw new AppError('USAGE', `not a reference name: ${JSON.stringify(name.slice(0, 100))}`, {
    hint: 'Use 1–64 letters, digits, dots, dashes and underscores, beginning with a letter or digit.',
  });
}

/** The bundle after checking every file. Throws NOT_FOUND or REFERENCE_CORRUPT. */
export async function openReference(
  storeDir: string,
  nameOrDigest: string,
  signal?: AbortSignal,
): Promise<ReferenceBundle> {
  const digest = await resolveReference(storeDir, nameOrDigest);
  const manifest = await readManifest(storeDir, nameOrDigest);
  await verifyBundle(bundleFolder(storeDir, digest), manifest, { name: nameOrDigest, signal });
  return toBundle(storeDir, await nameOf(storeDir, nameOrDigest, digest), manifest);
}

/** A name that people gave the bundle, where it was asked for by digest. */
async function nameOf(storeDir: string, nameOrDigest: string, digest: Digest): Promise<string> {
  if (nameOrDigest !== digest) return nameOrDigest;
  const named = (await listReferences(storeDir)).find((listing) => listing.digest === digest);
  return named?.name ?? nameOrDigest;
}

/** Every file's size and sha256 against the manifest. Throws REFERENCE_CORRUPT. */
export async function verifyBundle(
  folder: string,
  manifest: ReferenceManifest,
  context: { readonly name: string; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const paths = manifest.files.map((file) => join(folder, file.name));
  let sums: Awaited<ReturnType<typeof checksumFiles>>;
  try {
    sums = await checksumFiles(paths, context.signal);
  } catch (error) {
    context.signal?.throwIfAborted();
    const path = (error as NodeJS.ErrnoException).path ?? folder;
    throw corrupt(context.name, `${path} cannot be read`, error);
  }
  for (const [index, file] of manifest.files.entries()) {
    const sum = sums[index];
    if (sum?.digest === file.digest) continue;
    const why = sum?.sizeBytes === file.sizeBytes ? 'has other content' : 'has another size';
    throw corrupt(context.name, `${join(folder, file.name)} ${why} than when it was prepared`);
  }
}

/** What `reference show` prints; files are not checked. Throws NOT_FOUND or REFERENCE_CORRUPT. */
export async function readManifest(
  storeDir: string,
  nameOrDigest: string,
): Promise<ReferenceManifest> {
  const digest = await resolveReference(storeDir, nameOrDigest);
  const path = join(bundleFolder(storeDir, digest), 'manifest.json');
  const manifest = await readManifestFile(path, nameOrDigest);
  if (bundleDigest(manifest) === digest) return manifest;
  throw corrupt(nameOrDigest, `${path} does not have the digest ${digest}`);
}

export async function readManifestFile(path: string, name: string): Promise<ReferenceManifest> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw corrupt(name, `${path} cannot be read`, error);
  }
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (error) {
    throw corrupt(name, `${path} is not a manifest of this version`, error);
  }
}

/** All names in order; a broken bundle is left out here and told by `openReference`. */
export async function listReferences(storeDir: string): Promise<readonly ReferenceListing[]> {
  const listings: ReferenceListing[] = [];
  for (const file of (await entries(storePaths(storeDir).names)).sort()) {
    if (!file.endsWith('.json') || file.startsWith('.')) continue;
    const name = file.slice(0, -'.json'.length);
    const digest = await resolveReference(storeDir, name);
    const path = join(bundleFolder(storeDir, digest), 'manifest.json');
    const manifest = await readManifestFile(path, name).catch(() => null);
    if (manifest === null) continue; // Told by verify, which names the file.
    listings.push({
      name,
      digest,
      contigCount: manifest.contigs.length,
      totalBases: manifest.contigs.reduce((sum, contig) => sum + contig.lengthBases, 0),
      sizeBytes: manifest.files.reduce((sum, entry) => sum + entry.sizeBytes, 0),
      annotations: manifest.sources.map((s) => s.kind).filter((k) => k !== 'fasta' && k !== 'par'),
    });
  }
  return listings;
}

/** The digest behind a name; a digest stands for itself. Throws NOT_FOUND. */
export async function resolveReference(storeDir: string, nameOrDigest: string): Promise<Digest> {
  if (DIGEST_PATTERN.test(nameOrDigest)) {
    const hex = nameOrDigest.replace('sha256:', '');
    const known = await entries(storePaths(storeDir).bundles);
    if (known.includes(hex)) return nameOrDigest as Digest;
    throw notFound(nameOrDigest);
  }
  requireReferenceName(nameOrDigest);
  const path = join(storePaths(storeDir).names, `${nameOrDigest}.json`);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw notFound(nameOrDigest, error);
  }
  try {
    return pointerSchema.parse(JSON.parse(text)).digest as Digest;
  } catch (error) {
    throw corrupt(nameOrDigest, `${path} is not a pointer to a bundle`, error);
  }
}

/** Points the name at the digest, atomically. */
export async function writeName(storeDir: string, name: string, digest: Digest): Promise<void> {
  const { names } = storePaths(storeDir);
  await mkdir(names, { recursive: true });
  const aside = join(names, `.${name}.${randomBytes(6).toString('hex')}`);
  const file = await open(aside, 'wx');
  try {
    await file.writeFile(`${JSON.stringify({ digest })}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(aside, join(names, `${name}.json`));
}

export function toBundle(
  storeDir: string,
  name: string,
  manifest: ReferenceManifest,
): ReferenceBundle {
  const digest = bundleDigest(manifest);
  const folder = bundleFolder(storeDir, digest);
  const files: Record<string, FileRef> = {};
  for (const file of manifest.files) {
    files[file.name] = {
      name: file.name,
      digest: file.digest,
      sizeBytes: file.sizeBytes,
      location: join(folder, file.name),
    };
  }
  const contigs = manifest.contigs.map((c) => ({ name: c.name, lengthBases: c.lengthBases }));
  const releases = Object.fromEntries(
    manifest.sources.flatMap(({ kind, fileDate }) => (fileDate === null ? [] : [[kind, fileDate]])),
  );
  return { name, digest, contigs, par: manifest.par, files, releases };
}

/** Names in a folder; none where it does not exist yet. */
export async function entries(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw AppError.from(error);
  }
}

function notFound(name: string, cause?: unknown): AppError {
  return new AppError('NOT_FOUND', `there is no reference ${name}`, {
    hint: 'See `helixmesh reference list`, or add it with `helixmesh reference add NAME --fasta …`.',
    cause,
  });
}

function corrupt(name: string, why: string, cause?: unknown): AppError {
  return new AppError('REFERENCE_CORRUPT', `reference ${name}: ${why}`, {
    hint: `Rebuild it from its sources with \`helixmesh reference add ${name} --fasta …\`, and check the disk.`,
    cause,
  });
}

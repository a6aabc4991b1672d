/**
 * The user's output folder: claimed by one job at a time, filled by rename.
 *
 * F1  No file stands under its final name before it is whole.
 * F2  A file that was put there outlives the machine's crash, as the state COMPLETE does.
 * F3  A folder claimed by one job is refused to another, also to a job of another data folder.
 */
import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import {
  chmod,
  copyFile,
  link,
  mkdir,
  open,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AppError } from '@helixmesh/protocol';
import { makeDurable } from '../durable.ts';

const CLAIM_FILE = '.helixmesh-job.json';
const PROBE_FILE = '.helixmesh-probe';

interface Claim {
  readonly jobId: string;
  readonly dataDir: string;
}

/** Makes the folder if need be and checks that we may write there. */
export async function prepareOutFolder(outDir: string): Promise<void> {
  const probe = join(outDir, PROBE_FILE);
  try {
    await mkdir(outDir, { recursive: true });
    // Not exclusively: one that a killed daemon has left is no obstacle.
    await (await open(probe, 'w')).close();
    await rm(probe, { force: true });
  } catch (cause) {
    throw unwritable(outDir, cause);
  }
}

/** Throws OUTPUT_IN_USE when another job holds the folder. Claiming twice is the same as once. */
export async function claimOutFolder(outDir: string, claim: Claim): Promise<void> {
  const path = join(outDir, CLAIM_FILE);
  try {
    const file = await open(path, 'wx');
    await file.writeFile(JSON.stringify(claim));
    await file.close();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw unwritable(outDir, cause);
    const holder = await readClaim(path);
    if (holder?.jobId === claim.jobId && holder.dataDir === claim.dataDir) return;
    if (holder === null || holder.dataDir === claim.dataDir) {
      // Of two jobs of one data folder SQL has already chosen.
      await replaceClaim(path, claim);
      return;
    }
    throw new AppError(
      'OUTPUT_IN_USE',
      `job ${holder.jobId} of ${holder.dataDir} writes into ${outDir}`,
      {
        hint: `Choose another --out folder, or delete ${path} if that job is no more.`,
      },
    );
  }
}

async function readClaim(path: string): Promise<Claim | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    // Gone, or cut off by a crash while it was written: no claim.
    return null;
  }
}

async function replaceClaim(path: string, claim: Claim): Promise<void> {
  const aside = `${path}.new`;
  try {
    await writeFile(aside, JSON.stringify(claim));
    await rename(aside, path);
  } catch (cause) {
    throw unwritable(dirname(path), cause);
  } finally {
    await rm(aside, { force: true });
  }
}

/** Gives the folder up if it is this job's; another's claim stays. */
export async function releaseOutFolder(outDir: string, jobId: string): Promise<void> {
  const path = join(outDir, CLAIM_FILE);
  if ((await readClaim(path))?.jobId === jobId) await rm(path, { force: true });
}

function unwritable(outDir: string, cause: unknown): AppError {
  const error = AppError.from(cause);
  if (error.code === 'DISK_FULL') return error;
  return new AppError('OUTPUT_UNWRITABLE', `cannot write into ${outDir}`, {
    hint: 'Choose a folder that you may write to with --out.',
    cause,
  });
}

export interface Placed {
  readonly path: string;
  readonly sizeBytes: number;
  /** Hex, of the bytes as they lie in the folder. */
  readonly sha256: string;
}

/**
 * Puts `source` at `outDir/path` by rename: a hard link where both are on one file system, else a
 * copy. The file is read-only, for the result store shares its bytes.
 */
export async function placeFile(outDir: string, path: string, source: string): Promise<Placed> {
  const target = join(outDir, path);
  const aside = join(dirname(target), `.helixmesh-partial-${path.replaceAll('/', '_')}`);
  await mkdir(dirname(target), { recursive: true });
  await rm(aside, { force: true });
  try {
    await linkOrCopy(source, aside);
    await chmod(aside, 0o444);
    const sha256 = await sha256Of(aside);
    const { size } = await stat(aside);
    await rename(aside, target);
    await makeDurable(dirname(target));
    return { path, sizeBytes: size, sha256 };
  } finally {
    // After a failure, and where both names are links of one file already (a delivery that a crash
    // cut off is done again): rename(2) then does nothing and leaves the first name.
    await rm(aside, { force: true });
  }
}

async function linkOrCopy(source: string, target: string): Promise<void> {
  try {
    await link(source, target);
  } catch (cause) {
    if (!LINK_REFUSED.includes((cause as NodeJS.ErrnoException).code ?? '')) throw cause;
    // F2. What the store holds is on disk already, and so are links to it.
    await copyFile(source, target, constants.COPYFILE_FICLONE);
    await makeDurable(target);
  }
}

/** Another device, no links on this file system, or links forbidden to us: copy instead. */
const LINK_REFUSED = ['EXDEV', 'EPERM', 'ENOTSUP', 'EMLINK', 'EOPNOTSUPP'];

/** Writes a small text whole or not at all. */
export async function placeText(outDir: string, path: string, text: string): Promise<void> {
  const aside = join(outDir, `.helixmesh-partial-${path}`);
  try {
    await writeFile(aside, text, { flush: true });
    await rename(aside, join(outDir, path));
    await makeDurable(outDir);
  } finally {
    await rm(aside, { force: true });
  }
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

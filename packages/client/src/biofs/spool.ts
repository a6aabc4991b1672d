/**
 * The spool of a data folder: sealed bodies that wait for their vaults.
 *
 *   <random>.part      a body that is being sealed; worthless after a kill, for its keys are gone
 *   <64 hex>.body      the body of the dataset with that id
 *
 * Invariants
 * O1  A body has its dataset's name, durably, before the custody hears of the dataset; so a dataset
 *     that is pending there has its body here.
 *
 * One process uses a spool at a time: who calls holds a lock.
 */
import { access, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, type Digest } from '@helixmesh/protocol';
import { type Crypto, digestBytes, digestFrom, fromHex, toHex } from '@helixmesh/protocol/sealing';

const BODY = /^([0-9a-f]{64})\.body$/;
const NAME_BYTES = 8;

export interface Spool {
  /** A path for a body that is to be sealed; nothing is there. */
  newPath(): string;
  /** Gives the body at `path` to a dataset, durably. */
  keep(path: string, dataset: Digest): Promise<void>;
  /** Path of a dataset's body; undefined where there is none. */
  bodyOf(dataset: Digest): Promise<string | undefined>;
  /** Deletes a body whose vaults have it. */
  drop(dataset: Digest): Promise<void>;
  /** Deletes what killed processes have left, but for the bodies of `isWaiting` datasets. */
  sweep(isWaiting: (dataset: Digest) => boolean): Promise<void>;
}

/** Opens the spool in `folder`, which is made when it is absent. Throws OUTPUT_UNWRITABLE. */
export async function openSpool(crypto: Crypto, folder: string): Promise<Spool> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch(rethrown);
  const pathOf = (dataset: Digest) => join(folder, `${toHex(digestBytes(dataset))}.body`);
  return {
    newPath: () => join(folder, `${toHex(crypto.random(NAME_BYTES))}.part`),
    async keep(path, dataset) {
      await rename(path, pathOf(dataset)).catch(rethrown);
      await syncFolder(folder);
    },
    async bodyOf(dataset) {
      const path = pathOf(dataset);
      return access(path).then(
        () => path,
        () => undefined,
      );
    },
    drop: (dataset) => rm(pathOf(dataset), { force: true }),
    async sweep(isWaiting) {
      for (const name of await readdir(folder)) {
        const [, hex] = BODY.exec(name) ?? [];
        const dataset = hex === undefined ? undefined : digestFrom(bytesOf(hex));
        const isLeft = dataset === undefined ? name.endsWith('.part') : !isWaiting(dataset);
        if (isLeft) await rm(join(folder, name), { force: true });
      }
    },
  };
}

function bytesOf(hex: string): Uint8Array {
  return fromHex(hex, { what: 'the name of a body', bytes: 32 });
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function rethrown(error: unknown): never {
  throw AppError.from(error);
}

/**
 * The PartialStore in a folder of the file system, which one process has to itself.
 *
 *   partials/<64 hex>.leaves   a line for each leaf: its CID
 *   writing/<number>           what is being written; emptied when the store is opened
 */
import { appendFile, opendir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, type Digest } from '@helixmesh/protocol';
import { digestBytes, digestFrom, fromHex, toHex } from '@helixmesh/protocol/sealing';
import { type Cid, parseCid } from '../blocks/cid.ts';
import { PARTIAL_BYTES_MAX } from '../limits.ts';
import type { PartialStore } from '../objects/partial-store.ts';
import { emptyFolder, isMissing, makeFolder, readWhole, writeDurably } from './durable-file.ts';

export interface FsPartialStoreOptions {
  /** Made where it is not there. */
  readonly folder: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const NAME = /^([0-9a-f]{64})\.leaves$/;

/** Opens a folder of bodies that broke off. Throws OUTPUT_UNWRITABLE, DISK_FULL. */
export async function openFsPartialStore(options: FsPartialStoreOptions): Promise<PartialStore> {
  const { folder, now } = options;
  const partials = join(folder, 'partials');
  const writing = join(folder, 'writing');
  for (const each of [folder, partials, writing]) await makeFolder(each);
  await emptyFolder(writing);
  let written = 0;
  const pathOf = (id: Digest) => join(partials, `${toHex(digestBytes(id))}.leaves`);

  return {
    async read(id) {
      const bytes = await readWhole(pathOf(id), PARTIAL_BYTES_MAX);
      return leavesIn(Buffer.from(bytes ?? []).toString('latin1'));
    },
    async replace(id, leaves) {
      written += 1;
      const bytes = Buffer.from(leaves.map((leaf) => `${leaf}\n`).join(''));
      const aside = join(writing, `${written}`);
      await writeDurably({ path: pathOf(id), aside, bytes, atMs: now() });
    },
    async append(id, leaf) {
      await appendFile(pathOf(id), `${leaf}\n`, { mode: 0o600 }).catch(rethrown);
    },
    async delete(id) {
      await rm(pathOf(id), { force: true }).catch(rethrown);
    },
    async *list() {
      for await (const { name } of await opendir(partials)) {
        const [, hex] = NAME.exec(name) ?? [];
        if (hex === undefined) continue;
        const facts = await stat(join(partials, name)).catch(unlessMissing);
        const id = digestFrom(fromHex(hex, { what: 'the name of a body', bytes: 32 }));
        if (facts !== undefined) yield { id, putAtMs: Math.round(facts.mtimeMs) };
      }
    },
  };
}

/** The whole lines up to the first that is not one. */
function leavesIn(text: string): Cid[] {
  const leaves: Cid[] = [];
  for (const line of text.split('\n').slice(0, -1)) {
    try {
      leaves.push(parseCid(line));
    } catch {
      // What a loss of power has left; whatever comes after it has no known place.
      break;
    }
  }
  return leaves;
}

function unlessMissing(error: unknown): undefined {
  if (!isMissing(error)) throw AppError.from(error);
}

function rethrown(error: unknown): never {
  throw AppError.from(error);
}

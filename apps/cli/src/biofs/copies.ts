/** Copies of one's own datasets: where they lie, how they are, and having one made. */
import { replicateObject } from '@helixmesh/client/biofs';
import type { Replica } from '@helixmesh/daemon/custody';
import { AppError, type Digest } from '@helixmesh/protocol';
import { encodeDocument, formatNodeAddress, type NodeAddress } from '@helixmesh/protocol/sealing';
import { findOwn, shortId } from './find-dataset.ts';
import { COPY_ASK_MS_MAX } from './limits.ts';
import type { Person } from './person.ts';
import { createTransfer } from './transfer-progress.ts';

export interface CopyView {
  readonly vault: string;
  /** Where the vault says that it is; null when it says nothing, or nothing at all. */
  readonly zone: string | null;
  /** What the vault says now; `unreachable`: it could not be asked, and `code` says why. */
  readonly state: 'stored' | 'damaged' | 'absent' | 'unreachable';
  readonly code: string | null;
  /** Blocks that scrubbing has found nowhere. */
  readonly lostBlocks: number;
  /** What the custody knows: `named` is where a copy shall lie, the rest vaults have said. */
  readonly known: Replica['state'];
  readonly knownAtMs: number | null;
}

export interface CopiesView {
  readonly dataset: Digest;
  readonly sizeBytes: number;
  readonly residency: readonly string[] | null;
  readonly copies: readonly CopyView[];
}

/** Asks each vault of the dataset. Throws NOT_FOUND, USAGE. */
export async function viewCopies(person: Person, text: string): Promise<CopiesView> {
  const { id, manifest } = findOwn(person.custody, text);
  const replicas = person.custody.listReplicas(id);
  const copies = await Promise.all(replicas.map((replica) => viewOf(person, id, replica)));
  person.signal.throwIfAborted();
  const { bodyBytes, residency } = manifest.document;
  return { dataset: id, sizeBytes: bodyBytes, residency, copies };
}

async function viewOf(person: Person, id: Digest, replica: Replica): Promise<CopyView> {
  const { vault, state: known, saidAtMs: knownAtMs } = replica;
  const common = { vault: formatNodeAddress(vault), known, knownAtMs, lostBlocks: 0, code: null };
  const { bionfs } = person.channel(vault);
  const signal = AbortSignal.any([person.signal, AbortSignal.timeout(COPY_ASK_MS_MAX)]);
  let zone: string | null = null;
  try {
    zone = (await bionfs.discover({}, { signal })).zone || null;
    const { lostBlocks } = await bionfs.stat({ objectId: id }, { signal });
    return { ...common, zone, state: lostBlocks > 0 ? 'damaged' : 'stored', lostBlocks };
  } catch (error) {
    const { code } = AppError.from(error);
    if (code === 'OBJECT_NOT_FOUND') return { ...common, zone, state: 'absent' };
    return { ...common, zone, state: 'unreachable', code };
  }
}

export interface CopiesMade {
  readonly dataset: Digest;
  readonly copies: readonly {
    readonly vault: string;
    /** `known`: it had all of it before. */
    readonly status: 'stored' | 'known';
  }[];
}

/**
 * Has each vault fetch the dataset from those that have it. Throws what a vault answers, after the
 * others were served; run again it goes on where it was.
 */
export async function makeCopies(
  person: Person,
  text: string,
  { vaults, quiet }: { readonly vaults: readonly NodeAddress[]; readonly quiet: boolean },
): Promise<CopiesMade> {
  const { custody, login, signal } = person;
  const { id, manifest } = findOwn(custody, text);
  const custodian = custody.custodianOf(login.account);
  if (custodian === undefined) throw noCustodian();
  const request = { manifest: encodeDocument(manifest), custodian: encodeDocument(custodian) };
  const totalBytes = manifest.document.bodyBytes;
  const copies: CopiesMade['copies'][number][] = [];
  let failure: { readonly error: unknown } | undefined;
  for (const address of vaults) {
    const vault = formatNodeAddress(address);
    const progress = createTransfer({ label: `${shortId(id)}  copying`, totalBytes, quiet });
    try {
      custody.nameReplica(id, address);
      const { bionfs } = person.channel(address);
      const onProgress = progress.update;
      const status = await replicateObject(bionfs, request, { signal, onProgress });
      custody.markStored(id, address);
      copies.push({ vault, status });
      progress.done();
    } catch (error) {
      signal.throwIfAborted();
      // A vault that has refused is not one of the dataset's.
      custody.forgetReplica(id, address);
      failure ??= { error };
    }
  }
  if (failure !== undefined) throw failure.error;
  return { dataset: id, copies };
}

function noCustodian(): AppError {
  return new AppError('CONFLICT', 'you have no custodian, who has to permit a copy', {
    hint: 'Run a custodian and log in with it, or put the file into that vault with `biofs put`.',
  });
}

/**
 * A body that comes from several vaults at once, in its order. Each leaf of 1 MiB is compared with its
 * CID, which the owner's signed CID names through the tree, before it is given on.
 *
 * Invariants
 * F1  Who has sent a leaf or a node that is another one is not asked any more.
 * F2  A piece that one vault does not give another one is asked for; it fails when no vault has
 *     given it in `PEER_TRIES_MAX` tries each.
 * F3  Memory is `PULL_UNITS_MAX` pieces of 4 MiB, however slow the disk or fast the vaults are.
 */
import { type OpenBody, watched } from '@helixmesh/client/biofs';
import { AppError } from '@helixmesh/protocol';
import type { Crypto, Manifest } from '@helixmesh/protocol/sealing';
import {
  BLOCK_BYTES_MAX,
  parseCid,
  type ReplicaLeaf,
  replicaLeaves,
  verifiedLeaves,
} from '@helixmesh/vault';
import { PEER_TRIES_MAX, PULL_UNIT_LEAVES, PULL_UNITS_MAX } from './limits.ts';
import type { Peer } from './peers.ts';

export interface PullOptions {
  readonly crypto: Crypto;
  readonly manifest: Manifest;
  /** At least one. */
  readonly peers: readonly Peer[];
  /** Whole leaves. */
  readonly fromByte: number;
  readonly signal: AbortSignal;
}

/** One of the vaults while it is asked. */
interface Source {
  readonly peer: Peer;
  /** All that was opened anywhere: closed when the body has ended. */
  readonly opened: Promise<OpenBody>[];
  body: Promise<OpenBody> | undefined;
  /** Failures without a piece in between. */
  failures: number;
  isLiar: boolean;
}

/** Throws CIPHERTEXT_INVALID where no vault has the body that was signed, else what the last one threw. */
export async function* pullBody(options: PullOptions): AsyncGenerator<Uint8Array> {
  const { manifest, peers, fromByte } = options;
  const stopped = new AbortController();
  const signal = AbortSignal.any([options.signal, stopped.signal]);
  const own = { ...options, signal };
  const opened: Promise<OpenBody>[] = [];
  const sources = peers.map((peer): Source => {
    return { peer, opened, body: undefined, failures: 0, isLiar: false };
  });
  const coming: Promise<readonly Uint8Array[]>[] = [];
  try {
    if (manifest.bodyBytes === 0) return;
    const all = await fromAny(own, sources, 0, (body) => leavesOf(own, body));
    const leaves = all.slice(Math.ceil(fromByte / BLOCK_BYTES_MAX));
    let next = 0;
    const begin = (): void => {
      const at = next * PULL_UNIT_LEAVES;
      if (at >= leaves.length) return;
      const unit = { first: next, leaves: leaves.slice(at, at + PULL_UNIT_LEAVES) };
      const piece = pieceOf(own, sources, unit);
      // Whoever takes it is told; until then nobody waits for it.
      piece.catch(ignore);
      coming.push(piece);
      next += 1;
    };
    while (coming.length < PULL_UNITS_MAX && next * PULL_UNIT_LEAVES < leaves.length) begin();
    for (let piece = coming.shift(); piece !== undefined; piece = coming.shift()) {
      yield* await piece;
      begin();
    }
  } finally {
    stopped.abort();
    await Promise.allSettled(coming);
    for (const body of opened) void body.then((each) => each.close()).catch(ignore);
  }
}

/** What `use` makes of one of the sources: each in its turn, those that have failed lately behind. */
async function fromAny<T>(
  { signal }: PullOptions,
  sources: readonly Source[],
  first: number,
  use: (body: OpenBody) => Promise<T>,
): Promise<T> {
  const tries = new Map<Source, number>();
  const triesOf = (source: Source) => tries.get(source) ?? 0;
  let last: unknown = noSource();
  for (;;) {
    signal.throwIfAborted();
    const turned = [
      ...sources.slice(first % sources.length),
      ...sources.slice(0, first % sources.length),
    ];
    const [source] = turned
      .filter((each) => !each.isLiar && triesOf(each) < PEER_TRIES_MAX)
      .sort((a, b) => triesOf(a) - triesOf(b) || a.failures - b.failures);
    if (source === undefined) throw last;
    tries.set(source, triesOf(source) + 1);
    const body = source.body ?? opening(source, signal);
    try {
      const given = await use(await body);
      source.failures = 0;
      return given;
    } catch (error) {
      last = error;
      if (isLie(error)) source.isLiar = true;
      // Pieces that were on their way together fail together, and count once.
      if (source.body !== body) continue;
      source.failures += 1;
      // A lease that has ended, or a connection that was lost: the next try opens it again.
      source.body = undefined;
    }
  }
}

function opening(source: Source, signal: AbortSignal): Promise<OpenBody> {
  const body = source.peer.open(signal);
  body.catch(ignore);
  source.opened.push(body);
  source.body = body;
  return body;
}

function leavesOf(
  { crypto, manifest, signal }: PullOptions,
  body: OpenBody,
): Promise<readonly ReplicaLeaf[]> {
  const root = { cid: parseCid(manifest.bodyCid), sizeBytes: manifest.bodyBytes };
  return replicaLeaves(
    crypto,
    root,
    watched((both) => body.nodes(both), signal),
  );
}

/** The leaves of one piece, each verified; one vault goes on where another one had to stop. */
async function pieceOf(
  options: PullOptions,
  sources: readonly Source[],
  { first, leaves }: { readonly first: number; readonly leaves: readonly ReplicaLeaf[] },
): Promise<readonly Uint8Array[]> {
  const given: Uint8Array[] = [];
  while (given.length < leaves.length) {
    await fromAny(options, sources, first, async (body) => {
      const before = given.length;
      try {
        await gather(options, body, { leaves, given });
      } catch (error) {
        if (isLie(error) || given.length === before) throw error;
      }
    });
  }
  return given;
}

/** Adds the leaves that are not there yet, until the vault has no more of them. */
async function gather(
  { crypto, signal }: PullOptions,
  body: OpenBody,
  { leaves, given }: { readonly leaves: readonly ReplicaLeaf[]; readonly given: Uint8Array[] },
): Promise<void> {
  const start = leaves[given.length]?.range.start ?? 0;
  const range = { start, end: leaves.at(-1)?.range.end ?? start };
  const bytes = watched((both) => body.read(range, both), signal);
  const rest = leaves.slice(given.length);
  for await (const leaf of verifiedLeaves(crypto, rest, bytes)) given.push(leaf);
  if (given.length === leaves.length) return;
  throw new AppError('PEER_UNREACHABLE', 'a vault has sent less than was asked for', {
    hint: 'Try again later, or fetch from another vault.',
  });
}

/** Details do not travel: what was found out here, and not what a vault says of its own blocks. */
function isLie(error: unknown): boolean {
  const why = AppError.from(error).details?.['why'];
  return why === 'leaf' || why === 'node';
}

function noSource(): AppError {
  return new AppError('OBJECT_NOT_FOUND', 'no other vault is known that has a copy', {
    hint: 'Put the file into one vault first; `biofs replicas` says where copies lie.',
  });
}

function ignore(): void {}

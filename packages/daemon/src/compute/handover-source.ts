/** What one attempt of an earlier task has made, from its node: the index first, then what it compares. */
import { createReadStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Channel } from '@helixmesh/client/network';
import { fetchSealed } from '@helixmesh/client/results';
import { AppError, type AttemptId } from '@helixmesh/protocol';
import {
  type ComparedFormat,
  type Crypto,
  decryptBody,
  fromBase64,
  joinBytes,
  openHeader,
  openWithAny,
  parseResultIndex,
  RESULT_INDEX,
  RESULT_INDEX_BYTES_MAX,
  type ResultIndex,
  resultDigestOf,
  type TaskInputs,
  takeHeader,
} from '@helixmesh/protocol/sealing';
import type { StagedFile } from './enclosed-analysis.ts';
import { HANDED_FILE_BYTES_MAX } from './limits.ts';
import { channelTo, type NodeChannelOptions } from './node-channel.ts';
import type { Proof } from './work-source.ts';

export interface HandoverOptions extends NodeChannelOptions {
  readonly crypto: Crypto;
}

/** A file with where it is from, and how its digest is made. */
export interface HandedFile extends StagedFile {
  readonly attemptId: AttemptId;
  readonly format: ComparedFormat;
}

export type Source = TaskInputs[number]['sources'][number];

export interface FromSource {
  readonly source: Source;
  readonly input: TaskInputs[number];
  /** For the sealed files of this source alone. */
  readonly folder: string;
  /** The same headers for this node. */
  readonly rewrap: (headers: readonly Uint8Array[]) => Promise<readonly Uint8Array[]>;
  readonly proof: () => Promise<Proof>;
  readonly signal: AbortSignal;
}

/** Throws what the node answers, and RESULT_DIFFERS or CIPHERTEXT_INVALID for what is something else. */
export async function fromSource(
  options: HandoverOptions,
  from: FromSource,
): Promise<readonly HandedFile[]> {
  const { source, input, folder, rewrap } = from;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const channel = channelTo(options, source.address);
  try {
    const fetch = await fetcher(channel, from);
    const path = await fetch(RESULT_INDEX);
    const [header = missing()] = await rewrap([await headerOf(path)]);
    const index = await indexOf(options, { header, path, input });
    const byPath = new Map(index.files.map((file) => [file.path, file]));
    const files = [];
    for (const { path, digest, format } of index.compared) {
      const { sealedAs, sizeBytes } = byPath.get(path) ?? missing();
      files.push({ path, digest, format, sizeBytes, sealed: await fetch(sealedAs) });
    }
    const headers = await Promise.all(files.map(({ sealed }) => headerOf(sealed)));
    const opening = headers.length === 0 ? [] : await rewrap(headers);
    return files.map(({ sealed, ...file }, i) => {
      const own = opening[i] ?? missing();
      const open = () => plaintextOf(options, { header: own, path: sealed });
      return { ...file, task: input.task, attemptId: source.attemptId, open };
    });
  } finally {
    channel.close();
  }
}

/** Fetches sealed files by name, and answers where each lies. */
async function fetcher(
  channel: Channel,
  { source: { attemptId }, folder, proof, signal }: FromSource,
): Promise<(name: string) => Promise<string>> {
  // A stream may begin when the assignment that the one before it was given has ended.
  const assignment = async () => fromBase64((await proof()).assignment, 'an assignment');
  const request = { attemptId, assignment: await assignment() };
  const { files } = await channel.results.list(request, { signal });
  const sizes = new Map(files.map(({ name, sizeBytes }) => [name, Number(sizeBytes)]));
  const results: Channel['results'] = {
    ...channel.results,
    async *fetch(request, calling) {
      yield* channel.results.fetch({ ...request, assignment: await assignment() }, calling);
    },
  };
  return async (name) => {
    const sizeBytes = sizes.get(name) ?? missing();
    if (sizeBytes > HANDED_FILE_BYTES_MAX) missing();
    const path = join(folder, name);
    await fetchSealed({ results, attemptId, name, sizeBytes, path, signal });
    return path;
  };
}

async function headerOf(path: string): Promise<Uint8Array> {
  const stream = createReadStream(path);
  try {
    return (await takeHeader(stream)).header;
  } finally {
    stream.destroy();
  }
}

interface Indexed {
  readonly header: Uint8Array;
  readonly path: string;
  readonly input: TaskInputs[number];
}

async function indexOf(
  options: HandoverOptions,
  { header, path, input }: Indexed,
): Promise<ResultIndex> {
  const { crypto, network } = options;
  const parts: Uint8Array[] = [];
  let total = 0;
  for await (const part of plaintextOf(options, { header, path })) {
    total += part.length;
    if (total > RESULT_INDEX_BYTES_MAX) missing();
    parts.push(part);
  }
  const index = parseResultIndex(joinBytes(parts));
  const { jobHash, compared: files } = index;
  const claimed = resultDigestOf(crypto, network, { jobHash, files });
  if (claimed === input.resultDigest) return index;
  throw new AppError('RESULT_DIFFERS', 'the node has another result than the one agreed on', {
    hint: 'Fetch it from another node.',
  });
}

/** The plaintext of a sealed file, opened by a header for this node. */
async function* plaintextOf(
  { crypto, identity }: HandoverOptions,
  { header, path }: { readonly header: Uint8Array; readonly path: string },
): AsyncGenerator<Uint8Array> {
  const { dataKeys } = openHeader(crypto, header, identity.encryptionKey);
  const { body } = await takeHeader(createReadStream(path));
  yield* decryptBody(body, { open: openWithAny(crypto, dataKeys) });
}

function missing(): never {
  throw new AppError('CIPHERTEXT_INVALID', 'the node does not have all files of the task', {
    hint: 'Fetch them from another node.',
  });
}

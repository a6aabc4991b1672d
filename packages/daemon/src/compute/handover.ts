/**
 * What the tasks of one job hand to each other: fetched sealed from the node of an attempt that agreed,
 * opened with headers that the custodian rewraps for this attempt.
 *
 * Invariants
 * H1  Of a source no more than its index is fetched before the digest that the index claims is the one
 *     that was agreed on. That the files are what it claims is computed by who uses them.
 * H2  What lies in `folder` is sealed, to the key of the job; the plaintext is where `open` is read.
 * H3  A source that does not answer is asked again after the others; one that gives something else is
 *     left, and what came from it deleted. A custodian that refuses ends it.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Channel } from '@helixmesh/client/network';
import { AppError, type AttemptId, type ErrorCode } from '@helixmesh/protocol';
import {
  fromBase64,
  fromHex,
  KEY_BYTES,
  type TaskInputs,
  toBase64,
  toHex,
} from '@helixmesh/protocol/sealing';
import { fromSource, type HandedFile, type HandoverOptions } from './handover-source.ts';
import { HANDOVER_ROUNDS_MAX, RETRY_FIRST_MS, RETRY_MAX_MS } from './limits.ts';
import { channelTo } from './node-channel.ts';
import type { Proof } from './work-source.ts';

export interface HandoverRequest {
  /** `node_…@host:port` of who has the key of the job. */
  readonly custodian: string;
  readonly inputs: TaskInputs;
  /** For what is fetched; what an earlier call has left there is not fetched again. */
  readonly folder: string;
  /** Which of several sources is asked first: another one for each attempt. */
  readonly first: number;
  /** Attempts that have handed on something else than they said: they are not asked. */
  readonly left: ReadonlySet<AttemptId>;
  readonly proof: () => Promise<Proof>;
  readonly signal: AbortSignal;
}

export interface Handover {
  /** What the tasks before have made and compared. */
  readonly files: readonly HandedFile[];
  /** X25519 public key of the job. */
  readonly recipient: Uint8Array;
}

/** Opens what is handed over; throws what the custodian answers, and what the last source did. */
export function handoverOpener(options: HandoverOptions) {
  return async (request: HandoverRequest): Promise<Handover> => {
    const custodian = channelTo(options, request.custodian);
    const ask = (headers: readonly Uint8Array[]) =>
      patiently(request.signal, () => rewrapped(options, { request, custodian, headers }));
    try {
      const { recipient } = await ask([]);
      const rewrap = async (headers: readonly Uint8Array[]) => (await ask(headers)).headers;
      const files: HandedFile[] = [];
      for (const input of request.inputs) {
        files.push(...(await takeInput(options, { request, input, rewrap })));
      }
      return { files, recipient };
    } finally {
      custodian.close();
    }
  };
}

interface Asked {
  readonly request: HandoverRequest;
  readonly custodian: Channel;
  readonly headers: readonly Uint8Array[];
}

async function rewrapped({ identity }: HandoverOptions, { request, custodian, headers }: Asked) {
  const encryptionKey = toHex(identity.encryptionKey.publicKey);
  const body = { ...(await request.proof()), encryptionKey, headers: headers.map(toBase64) };
  const { signal } = request;
  const reply = await custodian.call('rewrapForTask', { params: {}, body, signal });
  if (reply.headers.length !== headers.length) {
    throw new AppError('CIPHERTEXT_INVALID', 'the custodian answered for other files', {
      hint: 'Ask the owner of the data to look at their custodian.',
    });
  }
  return {
    headers: reply.headers.map((header) => fromBase64(header, 'a header')),
    recipient: fromHex(reply.recipient, { what: 'the key of the job', bytes: KEY_BYTES }),
  };
}

/** A custodian that is away for a moment is asked again; what else goes wrong with it ends the attempt. */
async function patiently<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
  let waitMs = RETRY_FIRST_MS;
  for (let round = 1; ; round += 1) {
    try {
      return await ask();
    } catch (thrown) {
      const error = AppError.from(thrown);
      signal.throwIfAborted();
      if (!error.retryable || round >= HANDOVER_ROUNDS_MAX) throw new CustodianFailure(error);
      await delay(waitMs, undefined, { signal });
      waitMs = Math.min(2 * waitMs, RETRY_MAX_MS);
    }
  }
}

/** Another source would not help. */
class CustodianFailure extends AppError {
  constructor(error: AppError) {
    super(error.code, error.message, { cause: error });
  }
}

/** Failures of this machine or this attempt, whatever source is asked. */
const OWN: readonly ErrorCode[] = ['DISK_FULL', 'OUTPUT_UNWRITABLE', 'LEASE_EXPIRED'];

interface Taking {
  readonly request: HandoverRequest;
  readonly input: TaskInputs[number];
  readonly rewrap: (headers: readonly Uint8Array[]) => Promise<readonly Uint8Array[]>;
}

/** The files of one task, from whichever source has them (H3). */
async function takeInput(
  options: HandoverOptions,
  { request, input, rewrap }: Taking,
): Promise<readonly HandedFile[]> {
  const { first, signal, proof } = request;
  const { sources, task } = input;
  const left = new Set(sources.filter(({ attemptId }) => request.left.has(attemptId)));
  let last = new AppError('PEER_UNREACHABLE', `no node that has the task ${task} is registered`);
  let waitMs = RETRY_FIRST_MS;
  for (let round = 0; round < HANDOVER_ROUNDS_MAX; round += 1) {
    for (const at of sources.keys()) {
      const source = sources[(first + at) % sources.length];
      if (source === undefined || left.has(source)) continue;
      const folder = join(request.folder, task, source.attemptId);
      try {
        return await fromSource(options, { source, input, folder, rewrap, proof, signal });
      } catch (thrown) {
        signal.throwIfAborted();
        last = AppError.from(thrown);
        if (thrown instanceof CustodianFailure || OWN.includes(last.code)) throw last;
        if (isPassing(last)) continue;
        left.add(source);
        await rm(folder, { recursive: true, force: true });
      }
    }
    if (left.size === sources.length && left.size > 0) break;
    await delay(waitMs, undefined, { signal });
    waitMs = Math.min(2 * waitMs, RETRY_MAX_MS);
  }
  throw last;
}

/** A node hears some seconds later than others that a task is over, and serves nothing before. */
function isPassing({ retryable, code }: AppError): boolean {
  return retryable || code === 'OBJECT_NOT_FOUND';
}

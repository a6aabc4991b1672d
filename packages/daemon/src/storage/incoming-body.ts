/**
 * A body that comes in by messages, as a stream of bytes.
 *
 * Invariants
 * B1  The next message is asked for when the one before it has been kept: a slow disk slows the
 *     sender, and memory is one message.
 * B2  A sender who is slower than `WRITE_STEP_BYTES` in `WRITE_STEP_MS` of our waiting is cut off: the
 *     places for bodies are few. Time in which the vault itself was busy does not count.
 */
import { AppError } from '@helixmesh/protocol';
import type { WriteRequest } from '@helixmesh/protocol/bionfs';
import { WRITE_CHUNK_BYTES_MAX, WRITE_STEP_BYTES, WRITE_STEP_MS } from './limits.ts';

type Message = Pick<WriteRequest, 'stateId' | 'data'> & Partial<Pick<WriteRequest, 'offset'>>;

/** To be disposed of: what has not come by then is not taken. */
export interface IncomingBody extends Disposable {
  /** Of the first message. */
  readonly stateId: Uint8Array;
  /** Of the first message: where in the body its bytes begin. */
  readonly offset: bigint;
  readonly bytes: AsyncIterable<Uint8Array>;
}

export interface IncomingOptions {
  readonly stepBytes?: number;
  readonly stepMs?: number;
}

/** Takes the first message. Throws USAGE where it names no state, or there is none. */
export async function incomingBody(
  messages: AsyncIterable<Message>,
  { stepBytes = WRITE_STEP_BYTES, stepMs = WRITE_STEP_MS }: IncomingOptions = {},
): Promise<IncomingBody> {
  const iterator = messages[Symbol.asyncIterator]();
  let waitedMs = 0;
  let sinceBytes = 0;

  async function next(): Promise<Message | undefined> {
    const startedMs = performance.now();
    const result = await within(stepMs - waitedMs, iterator.next());
    waitedMs += performance.now() - startedMs;
    if (result.done === true) return undefined;
    if (waitedMs >= stepMs) throw tooSlow();
    const { data } = result.value;
    if (data.length > WRITE_CHUNK_BYTES_MAX) throw tooLarge(data.length);
    sinceBytes += data.length;
    if (sinceBytes >= stepBytes) [sinceBytes, waitedMs] = [0, 0];
    return result.value;
  }

  async function* bytes(first: Message): AsyncGenerator<Uint8Array> {
    yield first.data;
    for (let message = await next(); message !== undefined; message = await next()) {
      if (message.stateId.length > 0) throw noState();
      yield message.data;
    }
  }

  const first = await next();
  if (first === undefined || first.stateId.length === 0) throw noState();
  return {
    stateId: first.stateId,
    offset: first.offset ?? 0n,
    bytes: bytes(first),
    [Symbol.dispose]() {
      // Not waited for: a sender who has stalled would keep us here.
      void iterator.return?.()?.catch(ignore);
    },
  };
}

/** What `promise` answers, unless it takes longer. Throws BUSY. */
async function within<T>(timeMs: number, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(tooSlow()), Math.max(0, timeMs));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The stream has failed already, and whoever reads it knows. */
function ignore(): void {}

function noState(): AppError {
  return new AppError('USAGE', 'the first message of a body, and no other, names its state id', {
    hint: 'Announce the object by OpenPut, and send its state id with the first bytes.',
  });
}

function tooLarge(bytes: number): AppError {
  return new AppError('USAGE', `a message of ${bytes} bytes, at most ${WRITE_CHUNK_BYTES_MAX}`, {
    hint: 'Send the body in smaller messages.',
  });
}

function tooSlow(): AppError {
  return new AppError('BUSY', 'the body comes in too slowly', {
    hint: 'Try again over a faster connection: nothing of the body has to be sealed anew.',
  });
}

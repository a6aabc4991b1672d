/** Streams from others, which may fall silent without ending. */
import { AppError } from '@helixmesh/protocol';
import type { ByteSource } from '@helixmesh/protocol/sealing';
import { SILENCE_MS_MAX } from '../limits.ts';

/**
 * What `source` gives. Its signal is aborted with `signal`, and when nothing has come for
 * `silenceMs`: then it throws PEER_UNREACHABLE. The time that the consumer takes does not count.
 */
export async function* watched(
  source: (signal: AbortSignal) => ByteSource,
  signal: AbortSignal,
  silenceMs = SILENCE_MS_MAX,
): AsyncGenerator<Uint8Array> {
  const silent = new AbortController();
  const both = AbortSignal.any([signal, silent.signal]);
  const wait = () => setTimeout(() => silent.abort(), silenceMs);
  let timer = wait();
  try {
    for await (const chunk of source(both)) {
      clearTimeout(timer);
      yield chunk;
      timer = wait();
    }
  } catch (cause) {
    if (!silent.signal.aborted || signal.aborted) throw cause;
    throw new AppError('PEER_UNREACHABLE', `a vault has sent nothing for ${silenceMs} ms`, {
      hint: 'Try again later, or read from another vault.',
      cause,
    });
  } finally {
    clearTimeout(timer);
  }
}

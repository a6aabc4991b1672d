/** Pieces of bytes as async iterables, cut anew, and the bridge to web streams. */

/** Bytes in pieces of any size; nobody writes into a piece after it was handed out. */
export type ByteSource = AsyncIterable<Uint8Array>;

/** The same bytes in pieces of exactly `size`, the last one shorter. No empty piece. */
export async function* inPieces(source: ByteSource, size: number): AsyncGenerator<Uint8Array> {
  let piece = new Uint8Array(size);
  let filled = 0;
  for await (const chunk of source) {
    let at = 0;
    while (at < chunk.length) {
      if (filled === 0 && chunk.length - at >= size) {
        yield chunk.subarray(at, at + size);
        at += size;
        continue;
      }
      const part = chunk.subarray(at, at + size - filled);
      piece.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < size) continue;
      yield piece;
      piece = new Uint8Array(size);
      filled = 0;
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
}

export interface Taker {
  /** The next `size` bytes; undefined when fewer are left. */
  take(size: number): Promise<Uint8Array | undefined>;
  /** What was not taken. Ends the taking. */
  rest(): AsyncGenerator<Uint8Array>;
}

/** Takes counted bytes off the start of a source. */
export function takeFrom(source: ByteSource): Taker {
  const iterator = source[Symbol.asyncIterator]();
  let chunk: Uint8Array = new Uint8Array(0);
  return {
    async take(size) {
      const taken = new Uint8Array(size);
      let filled = 0;
      for (;;) {
        const part = chunk.subarray(0, size - filled);
        taken.set(part, filled);
        filled += part.length;
        chunk = chunk.subarray(part.length);
        if (filled === size) return taken;
        const next = await iterator.next();
        if (next.done === true) return undefined;
        chunk = next.value;
      }
    },
    async *rest() {
      try {
        for (;;) {
          if (chunk.length > 0) yield chunk;
          const next = await iterator.next();
          if (next.done === true) return;
          chunk = next.value;
        }
      } finally {
        await iterator.return?.();
      }
    },
  };
}

/**
 * A pair of web streams that does what `transform` does to an async iterable. The readable side is
 * pulled, so that memory stays bounded whoever is slow.
 */
export function toTransformStream(
  transform: (source: ByteSource) => AsyncGenerator<Uint8Array>,
): TransformPair {
  const input = new TransformStream<Uint8Array, Uint8Array>();
  const output = transform(chunksOf(input.readable));
  const readable = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await output.next();
        if (next.done === true) controller.close();
        else controller.enqueue(next.value);
      },
      async cancel() {
        await output.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
  return { writable: input.writable, readable };
}

export interface TransformPair {
  readonly writable: WritableStream<Uint8Array>;
  readonly readable: ReadableStream<Uint8Array>;
}

/** Chunks of a readable stream; leaving the loop early cancels the stream. */
async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  let isDone = false;
  try {
    for (;;) {
      const next = await reader.read();
      isDone = next.done;
      if (next.done) return;
      yield next.value;
    }
  } finally {
    if (!isDone) await reader.cancel().catch(ignore);
  }
}

/** The stream has failed already, and its reader has been told so by `read`. */
function ignore(): void {}

/** Keeps the last bytes of a stream that may be endless. */
export class TailBuffer {
  readonly #capacityBytes: number;
  #chunks: Buffer[] = [];
  #sizeBytes = 0;

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#sizeBytes += chunk.length;
    // Whole chunks go at twice the capacity, so that the cost of each byte is constant.
    if (this.#sizeBytes > 2 * this.#capacityBytes) {
      this.#chunks = [Buffer.from(this.bytes())];
      this.#sizeBytes = this.#chunks[0]?.length ?? 0;
    }
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks).subarray(-this.#capacityBytes);
  }

  /** Bytes that are no UTF-8 become U+FFFD. */
  text(): string {
    return this.bytes().toString('utf8');
  }
}

/** The last lines of `text` for people: at most `lines`, at most `bytes` of UTF-8. */
export function lastLines(
  text: string,
  { lines, bytes }: { lines: number; bytes: number },
): string {
  // A progress bar's carriage returns overwrite the line; its last state is what was seen.
  const shown = text
    .replace(/[\r\n]+$/, '')
    .split('\n')
    .slice(-lines)
    .map((line) => line.replace(/\r$/, '').split('\r').at(-1) ?? '')
    .join('\n');
  const encoded = Buffer.from(shown);
  if (encoded.length <= bytes) return shown;
  // Up to three bytes of a cut character are dropped at the front.
  return encoded
    .subarray(-bytes)
    .toString('utf8')
    .replace(/^\uFFFD{1,3}/, '');
}

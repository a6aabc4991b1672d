/** What is in the bytes of one direction of an HTTP/2 connection (RFC 9113 §4 and §6). */
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const FRAME_HEADER_BYTES = 9;
const DATA = 0;
const HEADERS = 1;
const CONTINUATION = 9;
const PADDED = 0x8;

export interface Http2Content {
  /** Blocks of headers one after the other, packed as they are (RFC 7541). */
  readonly headers: Buffer;
  /** Bodies, those of each stream together. */
  readonly data: Buffer;
}

export function http2Content(bytes: Buffer): Http2Content {
  const headers: Buffer[] = [];
  const bodies = new Map<number, Buffer[]>();
  let at = bytes.subarray(0, PREFACE.length).equals(Buffer.from(PREFACE)) ? PREFACE.length : 0;
  while (at + FRAME_HEADER_BYTES <= bytes.length) {
    const end = at + FRAME_HEADER_BYTES + bytes.readUIntBE(at, 3);
    const [type, flags, stream] = [bytes[at + 3], bytes[at + 4] ?? 0, bytes.readUInt32BE(at + 5)];
    const payload = bytes.subarray(at + FRAME_HEADER_BYTES, end);
    if (type === HEADERS || type === CONTINUATION) headers.push(payload);
    if (type === DATA) {
      const padding = (flags & PADDED) === 0 ? 0 : 1 + (payload[0] ?? 0);
      const body = padding === 0 ? payload : payload.subarray(1, 1 + payload.length - padding);
      const pieces = bodies.get(stream) ?? [];
      pieces.push(body);
      bodies.set(stream, pieces);
    }
    at = end;
  }
  return { headers: Buffer.concat(headers), data: Buffer.concat([...bodies.values()].flat()) };
}

/** Byte arrays: joining, hex, text and fixed-width integers. None of it compares secrets. */
import { AppError } from './errors.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The bytes of a few parts, one after the other. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  return joinBytes(parts);
}

/** The bytes of any number of parts: a call takes only so many arguments. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Text of UTF-8 bytes. Throws INPUT_MALFORMED, naming `what`, where they are not UTF-8. */
export function textOf(bytes: Uint8Array, what: string): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new AppError('INPUT_MALFORMED', `${what} is not UTF-8`, {
      hint: 'Send the bytes that were written, unchanged.',
      cause,
    });
  }
}

/** Lower-case hex digits. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

export interface HexOptions {
  /** Named in the error; the value is not, for it may be a key. */
  readonly what: string;
  readonly bytes: number;
}

/** The bytes of lower-case hex. Throws INPUT_MALFORMED for other digits or another length. */
export function fromHex(text: string, { what, bytes }: HexOptions): Uint8Array {
  if (text.length !== bytes * 2 || !/^[0-9a-f]*$/.test(text)) {
    throw new AppError('INPUT_MALFORMED', `${what} is not ${bytes} bytes of lower-case hex`, {
      hint: `Give ${bytes * 2} digits of 0-9 and a-f.`,
    });
  }
  return Uint8Array.from({ length: bytes }, (_, i) =>
    Number.parseInt(text.slice(2 * i, 2 * i + 2), 16),
  );
}

export function u32be(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, value);
  return bytes;
}

export function u32le(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, value, true);
  return bytes;
}

/** `value` is a safe integer of at least 0. */
export function u64be(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  viewOf(bytes).setBigUint64(0, BigInt(value));
  return bytes;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Standard base64 with padding. */
export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += CHUNK) {
    binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  }
  return btoa(binary);
}

/** The bytes of padded standard base64. Throws INPUT_MALFORMED, naming `what`, for anything else. */
export function fromBase64(text: string, what: string): Uint8Array {
  const isBase64 = text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
  const bytes = isBase64 ? Uint8Array.from(atob(text), (char) => char.charCodeAt(0)) : undefined;
  // Another spelling of the same bytes (set bits under the padding) is refused as well.
  if (bytes === undefined || toBase64(bytes) !== text) {
    throw new AppError('INPUT_MALFORMED', `${what} is not base64`, {
      hint: 'Give standard base64 with padding and no line breaks.',
    });
  }
  return bytes;
}

const CHUNK = 8192;

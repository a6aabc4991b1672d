/**
 * Looks for what must not be readable in what a network has left behind: as it is, and in what is
 * packed with gzip or BGZF. What is packed otherwise, as pages of a key-value store, is not unpacked.
 */
import { constants, gunzipSync } from 'node:zlib';
import type { Trace } from './proxied-network.ts';

export interface Searched {
  /** Where something was found: name of the trace and which needle. */
  readonly found: readonly string[];
  readonly traces: number;
  readonly bytes: number;
}

/** `needles` by what they are called. */
export async function searchPlaintext(
  traces: AsyncIterable<Trace>,
  needles: Readonly<Record<string, Buffer>>,
): Promise<Searched> {
  const found: string[] = [];
  let [count, length] = [0, 0];
  for await (const { name, bytes } of traces) {
    count += 1;
    length += bytes.length;
    for (const content of [bytes, ...unpacked(bytes)]) {
      for (const [what, needle] of Object.entries(needles)) {
        if (content.includes(needle) || name.includes(needle.toString('latin1'))) {
          found.push(`${name}: ${what}`);
        }
      }
    }
  }
  return { found, traces: count, bytes: length };
}

function unpacked(bytes: Buffer): Buffer[] {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return [];
  try {
    // As far as it goes: a file that was cut off is looked at too.
    return [gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH })];
  } catch {
    return [];
  }
}

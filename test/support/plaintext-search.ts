/**
 * Looks for what must not be readable in what a network has left behind: as it is, and in what is
 * packed with gzip or BGZF. What is packed otherwise, as pages of a key-value store, is not unpacked.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { constants, gunzipSync } from 'node:zlib';
import { formsOf } from './planted-text.ts';
import type { ProxiedNetwork, ProxiedNode, Trace } from './proxied-network.ts';

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

/** Sent in the clear on purpose, so that a search which sees nothing is told from one that finds nothing. */
const CONTROL = 'CONTROL-5K2R';

/** Asks the node over its proxy for something of that name, and sends the name in base64 too. */
export async function sendControl({ proxy }: ProxiedNode): Promise<void> {
  const session = connect(`https://${proxy.endpoint}`, { rejectUnauthorized: false });
  const stream = session.request({ ':method': 'POST', ':path': `/v1/${CONTROL}` });
  stream.end(`${CONTROL} ${Buffer.from(CONTROL).toString('base64')}`);
  await Promise.all([once(stream, 'end'), stream.resume()]);
  session.close();
}

/** How much of what was on the wire belongs to connections that could be opened. */
async function openedShare({ wire, insideTls }: Pick<ProxiedNetwork, 'wire' | 'insideTls'>) {
  const connectionOf = (name: string) => /(\S+)\.(?:client|server)/.exec(name)?.[1] ?? name;
  const opened = new Set<string>();
  for await (const { name } of insideTls()) opened.add(connectionOf(name.replace('inside ', '')));
  let [openedBytes, wireBytes] = [0, 0];
  for await (const { name, bytes } of wire()) {
    wireBytes += bytes.length;
    if (opened.has(connectionOf(name))) openedBytes += bytes.length;
  }
  return { openedBytes, wireBytes };
}

/**
 * Searches what went between nodes, on the wire and inside of TLS. Fails where that would not have found
 * what `sendControl` sent to `to`, or where less than nine tenths of it could be opened.
 */
export async function searchTraffic(
  { wire, insideTls }: ProxiedNetwork,
  { needles, to }: { readonly needles: Readonly<Record<string, Buffer>>; readonly to: string },
): Promise<Searched> {
  const control = formsOf('control', CONTROL);
  const sealed = await searchPlaintext(wire(), { ...needles, ...control });
  assert.deepEqual(sealed.found, [], 'on the wire');
  const opened = await searchPlaintext(insideTls(), { ...needles, ...control });
  const isControl = (each: string) => each.includes(': control');
  for (const form of ['control', 'control in base64', 'control in a header']) {
    const isSeen = (each: string) => each.includes(`/${to}/`) && each.includes(`: ${form}`);
    assert.ok(opened.found.some(isSeen), `${form} is seen inside of TLS`);
  }
  const { openedBytes, wireBytes } = await openedShare({ wire, insideTls });
  assert.ok(openedBytes > 0.9 * wireBytes, `${openedBytes} of ${wireBytes} bytes are opened`);
  return { ...opened, found: opened.found.filter((each) => !isControl(each)) };
}

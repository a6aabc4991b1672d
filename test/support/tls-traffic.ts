/**
 * What went inside recorded TLS 1.3 connections, by the secrets that their ends wrote down
 * (`node --tls-keylog`): RFC 8446 §5.2 for records, §7.1 and §7.3 for keys. What a connection ended in
 * the midst of is opened as far as it goes.
 */
import { createDecipheriv, createHmac } from 'node:crypto';

/** Bytes of the two directions of a connection, as they were on the wire. */
export interface Directions {
  readonly client: Buffer;
  readonly server: Buffer;
}

/** Secrets by the client's random number and what they are for, both as in the file. */
export type KeyLog = ReadonlyMap<string, Buffer>;

const RECORD_HEADER_BYTES = 5;
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;
/** In a record: its header, the handshake's, and the legacy version. */
const RANDOM_AT = RECORD_HEADER_BYTES + 4 + 2;
const RANDOM_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

const SUITES: Readonly<Record<number, Suite>> = {
  4865: { cipher: 'aes-128-gcm', keyBytes: 16, hash: 'sha256' },
  4866: { cipher: 'aes-256-gcm', keyBytes: 32, hash: 'sha384' },
  4867: { cipher: 'chacha20-poly1305', keyBytes: 32, hash: 'sha256' },
};

interface Suite {
  readonly cipher: 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305';
  readonly keyBytes: number;
  readonly hash: string;
}

export function parseKeyLog(text: string): KeyLog {
  const secrets = new Map<string, Buffer>();
  for (const line of text.split('\n')) {
    const [what, random, secret] = line.split(' ');
    if (secret !== undefined) secrets.set(`${random} ${what}`, Buffer.from(secret, 'hex'));
  }
  return secrets;
}

/** Null where no handshake was completed, or nobody wrote the secrets down. */
export function openConnection(wire: Directions, keyLog: KeyLog): Directions | null {
  const [hello, reply] = [recordsOf(wire.client).next(), recordsOf(wire.server).next()];
  if (hello.done === true || reply.done === true) return null;
  const random = hello.value.subarray(RANDOM_AT, RANDOM_AT + RANDOM_BYTES).toString('hex');
  const sessionIdBytes = reply.value[RANDOM_AT + RANDOM_BYTES] ?? 0;
  const suite = SUITES[reply.value.readUInt16BE(RANDOM_AT + RANDOM_BYTES + 1 + sessionIdBytes)];
  if (hello.value[0] !== HANDSHAKE || suite === undefined) return null;
  const opened = (['CLIENT', 'SERVER'] as const).map((side) => {
    const secrets = [`${side}_HANDSHAKE_TRAFFIC_SECRET`, `${side}_TRAFFIC_SECRET_0`].map((what) =>
      keyLog.get(`${random} ${what}`),
    );
    const bytes = side === 'CLIENT' ? wire.client : wire.server;
    const known = secrets.filter((secret) => secret !== undefined);
    return known.length < 2 ? null : openDirection(bytes, suite, known);
  });
  const [client, server] = opened;
  return client && server ? { client, server } : null;
}

/** The application's bytes of one direction. Its keys change once, after the handshake. */
function openDirection(bytes: Buffer, suite: Suite, secrets: readonly Buffer[]): Buffer {
  const keys = secrets.map((secret) => keysOf(suite, secret));
  const opened: Buffer[] = [];
  let number = 0;
  for (const record of recordsOf(bytes)) {
    if (record[0] !== APPLICATION_DATA) continue;
    let inner = openRecord(suite, keys[0], { record, number });
    if (inner === null) {
      keys.shift();
      number = 0;
      inner = openRecord(suite, keys[0], { record, number });
    }
    if (inner === null) break;
    number += 1;
    const typeAt = inner.findLastIndex((byte) => byte !== 0);
    if (inner[typeAt] === APPLICATION_DATA) opened.push(inner.subarray(0, typeAt));
  }
  return Buffer.concat(opened);
}

/** Whole records, with their headers. */
function* recordsOf(bytes: Buffer): Generator<Buffer, undefined> {
  for (let at = 0; at + RECORD_HEADER_BYTES <= bytes.length; ) {
    const end = at + RECORD_HEADER_BYTES + bytes.readUInt16BE(at + 3);
    if (end > bytes.length) return;
    yield bytes.subarray(at, end);
    at = end;
  }
}

interface Keys {
  readonly key: Buffer;
  readonly iv: Buffer;
}

function openRecord(
  { cipher }: Suite,
  keys: Keys | undefined,
  { record, number }: { readonly record: Buffer; readonly number: number },
): Buffer | null {
  if (keys === undefined) return null;
  const nonce = Buffer.from(keys.iv);
  nonce.writeUInt32BE((nonce.readUInt32BE(IV_BYTES - 4) ^ number) >>> 0, IV_BYTES - 4);
  // Of the AEADs that TLS has, this is the type of one.
  const opening = createDecipheriv(cipher as 'aes-256-gcm', keys.key, nonce, {
    authTagLength: TAG_BYTES,
  });
  opening.setAAD(record.subarray(0, RECORD_HEADER_BYTES));
  opening.setAuthTag(record.subarray(-TAG_BYTES));
  const inner = opening.update(record.subarray(RECORD_HEADER_BYTES, -TAG_BYTES));
  try {
    opening.final();
    return inner;
  } catch {
    return null; // Other keys.
  }
}

function keysOf(suite: Suite, secret: Buffer): Keys {
  const { hash, keyBytes } = suite;
  return { key: expand(hash, secret, 'key', keyBytes), iv: expand(hash, secret, 'iv', IV_BYTES) };
}

/** HKDF-Expand-Label without a context, for no more than one hash. */
function expand(hash: string, secret: Buffer, what: string, bytes: number): Buffer {
  const label = Buffer.from(`tls13 ${what}`);
  const info = Buffer.from([0, bytes, label.length, ...label, 0, 1]);
  return createHmac(hash, secret).update(info).digest().subarray(0, bytes);
}

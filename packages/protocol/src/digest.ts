/** Digests of length-prefixed fields. */
import { fromHex, toHex } from './bytes.ts';
import type { Crypto } from './crypto/port.ts';
import type { Digest } from './ids.ts';
import { type Field, lengthPrefixed } from './length-prefix.ts';

const PREFIX = 'sha256:';

/** H(LP(tag, fields…)): `tag` is `helixmesh/<what>/v1`. */
export function digestOf(crypto: Crypto, tag: string, ...fields: readonly Field[]): Digest {
  return digestFrom(crypto.sha256(lengthPrefixed(tag, ...fields)));
}

/** The digest with these 32 bytes. */
export function digestFrom(hash: Uint8Array): Digest {
  return `${PREFIX}${toHex(hash)}` as Digest;
}

/** The 32 bytes of a digest. */
export function digestBytes(digest: Digest): Uint8Array {
  return fromHex(digest.slice(PREFIX.length), { what: 'a digest', bytes: 32 });
}

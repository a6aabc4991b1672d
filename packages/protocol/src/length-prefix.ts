/**
 * LP(a, b, …): each field with its length before it as u32 big-endian, one after the other. Two
 * different lists of fields never have the same bytes, which plain joining cannot promise. Every
 * hash and signature of the network is over such a list (or a canonical document) that begins with
 * a domain tag `helixmesh/<what>/v1`.
 */
import { concatBytes, u32be, utf8 } from './bytes.ts';

/** A text stands for its UTF-8 bytes. */
export type Field = Uint8Array | string;

export function lengthPrefixed(...fields: readonly Field[]): Uint8Array {
  return concatBytes(
    ...fields.flatMap((field) => {
      const bytes = typeof field === 'string' ? utf8(field) : field;
      return [u32be(bytes.length), bytes];
    }),
  );
}

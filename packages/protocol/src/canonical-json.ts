/** RFC 8785 canonical JSON: the one encoding that is hashed or signed. */
import canonicalize from 'canonicalize';
import { AppError } from './errors.ts';

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/**
 * The canonical text of `value`. Throws INTERNAL for what JSON cannot say (undefined at the top,
 * NaN, Infinity, half a character); `undefined` members of objects are left out.
 */
export function canonicalJson(value: unknown): string {
  const text = encoded(value);
  if (text === undefined) throw new AppError('INTERNAL', 'value has no JSON form');
  return text;
}

function encoded(value: unknown): string | undefined {
  try {
    return canonicalize(value);
  } catch (cause) {
    throw new AppError('INTERNAL', 'value has no JSON form', { cause });
  }
}

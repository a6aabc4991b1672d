/**
 * Documents: canonical JSON (RFC 8785) that names its kind and its network, and is signed by a
 * wallet (EIP-191) or by a node's or session's key (Ed25519).
 *
 * Invariants
 * D1  A document has one spelling: bytes that are not its canonical JSON are refused.
 * D2  Its id is the hash of the document. Signatures are never hashed: they have twins.
 * D3  What is signed begins with the kind, so that no document passes for one of another kind; and
 *     the network stands in it, so that none passes in another network.
 *
 * Left out: contract accounts (ERC-1271), whose signatures only a chain can judge.
 */
import { z } from 'zod';
import { fromHex, textOf, toHex, utf8 } from '../bytes.ts';
import { canonicalJson } from '../canonical-json.ts';
import { type Crypto, ED25519_SIGNATURE_BYTES } from '../crypto/port.ts';
import { digestBytes, digestOf } from '../digest.ts';
import { AppError } from '../errors.ts';
import type { Digest } from '../ids.ts';
import { lengthPrefixed } from '../length-prefix.ts';
import { recoverAddress, type WalletSigner, walletSignatureSchema } from './wallet.ts';

/** What every document states. */
export interface DocumentHead {
  /** Domain tag: `helixmesh/<what>/v1`. */
  readonly type: string;
  readonly network: Digest;
}

export interface Signed<T extends DocumentHead> {
  readonly document: T;
  readonly signature: string;
}

export interface ParseOptions {
  /** Named in errors: `a manifest`. */
  readonly what: string;
  readonly maxBytes: number;
}

/** H(LP(type, network, canonical JSON)). */
export function documentId(crypto: Crypto, document: DocumentHead): Digest {
  return digestOf(crypto, document.type, digestBytes(document.network), canonicalJson(document));
}

/** The network that a genesis document founds. */
export function networkId(crypto: Crypto, genesis: unknown): Digest {
  return digestOf(crypto, 'helixmesh/network/v1', canonicalJson(genesis));
}

/** The canonical bytes: what is stored and sent. */
export function encodeDocument(value: unknown): Uint8Array {
  return utf8(canonicalJson(value));
}

/**
 * A document from outside. Throws INPUT_MALFORMED unless `bytes` are the canonical JSON of what
 * `schema` describes.
 */
export function parseDocument<T>(
  schema: z.ZodType<T>,
  bytes: Uint8Array,
  { what, maxBytes }: ParseOptions,
): T {
  if (bytes.length > maxBytes) throw malformed(what, `${bytes.length} bytes, at most ${maxBytes}`);
  const text = textOf(bytes, what);
  const parsed = schema.safeParse(parseJson(text, what));
  if (!parsed.success) {
    // Paths only: the values may be a person's.
    const paths = parsed.error.issues.map((issue) => issue.path.join('.') || 'the whole');
    throw malformed(what, `wrong in ${paths.slice(0, 5).join(', ')}`);
  }
  if (!isWellFormed(parsed.data)) throw malformed(what, 'a text with half a character');
  if (canonicalJson(parsed.data) !== text) throw malformed(what, 'it is not canonical JSON');
  return parsed.data;
}

/** The schema of a document with its wallet's signature. */
export function signedSchema<T extends DocumentHead>(schema: z.ZodType<T>): z.ZodType<Signed<T>> {
  return z.strictObject({ document: schema, signature: walletSignatureSchema });
}

/** The schema of a document with an Ed25519 signature. */
export function keySignedSchema<T extends DocumentHead>(
  schema: z.ZodType<T>,
): z.ZodType<Signed<T>> {
  return z.strictObject({ document: schema, signature: z.string().regex(/^[0-9a-f]{128}$/) });
}

/** Signed by a wallet, which shows its owner the kind and the canonical JSON. */
export async function signDocument<T extends DocumentHead>(
  signer: WalletSigner,
  document: T,
): Promise<Signed<T>> {
  return { document, signature: await signer.signMessage(walletMessage(document)) };
}

export type Verdict =
  | { readonly status: 'valid'; readonly id: Digest }
  | { readonly status: 'invalid'; readonly reason: 'network' | 'signature' };

/** Whether `signer` (an address) has signed the document, in this network. */
export function verifyDocument<T extends DocumentHead>(
  crypto: Crypto,
  signed: Signed<T>,
  expected: { readonly network: Digest; readonly signer: string },
): Verdict {
  if (signed.document.network !== expected.network) return { status: 'invalid', reason: 'network' };
  const signer = recoverAddress(crypto, walletMessage(signed.document), signed.signature);
  if (signer !== expected.signer) return { status: 'invalid', reason: 'signature' };
  return { status: 'valid', id: documentId(crypto, signed.document) };
}

/** Signed with an Ed25519 key over LP(type, network, canonical JSON). */
export function signWithKey<T extends DocumentHead>(
  crypto: Crypto,
  secretKey: Uint8Array,
  document: T,
): Signed<T> {
  return { document, signature: toHex(crypto.ed25519Sign(secretKey, keyMessage(document))) };
}

/** Whether the holder of an Ed25519 key has signed the document, in this network. */
export function verifyWithKey<T extends DocumentHead>(
  crypto: Crypto,
  signed: Signed<T>,
  expected: { readonly network: Digest; readonly publicKey: Uint8Array },
): Verdict {
  if (signed.document.network !== expected.network) return { status: 'invalid', reason: 'network' };
  const signature = fromHex(signed.signature, {
    what: 'a signature',
    bytes: ED25519_SIGNATURE_BYTES,
  });
  const message = keyMessage(signed.document);
  if (!crypto.ed25519Verify(expected.publicKey, message, signature)) {
    return { status: 'invalid', reason: 'signature' };
  }
  return { status: 'valid', id: documentId(crypto, signed.document) };
}

/** Text, so that wallets can show it: the kind, a line break, canonical JSON with the network. */
function walletMessage(document: DocumentHead): Uint8Array {
  return utf8(`${document.type}\n${canonicalJson(document)}`);
}

function keyMessage(document: DocumentHead): Uint8Array {
  return lengthPrefixed(document.type, digestBytes(document.network), canonicalJson(document));
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text.
    throw malformed(what, 'it is not JSON');
  }
}

/** False where some text holds a lone surrogate, which RFC 8785 §3.2.2.2 forbids. */
function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, member]) => key.isWellFormed() && isWellFormed(member));
}

function malformed(what: string, why: string): AppError {
  return new AppError('INPUT_MALFORMED', `${what} is not valid: ${why}`, {
    hint: 'Ask its signer for the document again.',
  });
}

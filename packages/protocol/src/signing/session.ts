/**
 * Sessions: a wallet lets an Ed25519 key sign requests in its name, for some purposes, for a day at
 * most. The statement is an EIP-4361 message ("Sign-In with Ethereum"), which wallets show as text.
 *
 * Invariants
 * S1  A delegation has one text, and the text names all of it: account, key, network, scopes, times.
 * S2  It ends within 24 h; what it allows is no more than its scopes.
 * S3  It is no bearer token: whoever has seen it can do nothing without the session's key.
 *
 * Left out: ending a session early. Its key is destroyed by `logout`, or it ends by itself.
 */
import { z } from 'zod';
import { fromBase64, toBase64, toHex, utf8 } from '../bytes.ts';
import type { Crypto } from '../crypto/port.ts';
import { AppError } from '../errors.ts';
import type { Digest } from '../ids.ts';
import { REQUEST_WINDOW_MS, SESSION_BYTES_MAX, SESSION_MS_MAX } from '../limits.ts';
import { encodeDocument, parseDocument } from './document.ts';
import { addressSchema, digestSchema, nonceSchema, publicKeySchema } from './fields.ts';
import { recoverAddress, type WalletSigner, walletSignatureSchema } from './wallet.ts';

/** What a session may be used for; in a delegation they stand in this order, each once. */
export const SCOPES = ['read', 'list', 'put', 'cancel', 'custody', 'submit'] as const;
export type Scope = (typeof SCOPES)[number];

/** The request header beside `Authorization`: who the key that signs it acts for. */
export const SESSION_HEADER = 'helixmesh-session';

export interface SessionDelegation {
  /** Who delegates: an account in lower case. */
  readonly account: string;
  /** Ed25519 public key, hex. */
  readonly sessionKey: string;
  readonly network: Digest;
  readonly scopes: readonly Scope[];
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  /** 16 random bytes, hex. */
  readonly nonce: string;
}

export interface SignedSession {
  /** The text that the wallet has signed. */
  readonly message: string;
  readonly signature: string;
}

/** The last millisecond that RFC 3339 can say in four digits of the year. */
const TIME_MS_MAX = 253_402_300_799_999;
const sessionTimeSchema = z.int().min(0).max(TIME_MS_MAX);

const delegationSchema = z
  .strictObject({
    account: addressSchema,
    sessionKey: publicKeySchema,
    network: digestSchema,
    scopes: z.array(z.enum(SCOPES)).min(1).refine(isInOrder),
    issuedAtMs: sessionTimeSchema,
    expiresAtMs: sessionTimeSchema,
    nonce: nonceSchema,
  })
  .refine(({ issuedAtMs: from, expiresAtMs: to }) => from < to && to - from <= SESSION_MS_MAX, {
    path: ['expiresAtMs'],
  });

const signedSessionSchema = z.strictObject({
  message: z.string().max(SESSION_BYTES_MAX),
  signature: walletSignatureSchema,
});

// EIP-4361 asks for a domain and a chain. No site asks here, so the domain is one that no site can
// have (RFC 2606): a page that shows this text to a wallet is warned of. No chain is asked either; the
// network stands in the resources.
const FIRST_LINE = 'helixmesh.invalid wants you to sign in with your Ethereum account:';
const STATEMENT =
  'Let the key named below sign requests for me in one network, for the purposes listed, until it expires.';
const CHAIN_ID = '1';
const TIME = String.raw`(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)`;
const MESSAGE = new RegExp(
  [
    `^${literal(FIRST_LINE)}`,
    '(0x[0-9A-Fa-f]{40})',
    '',
    literal(STATEMENT),
    '',
    'URI: urn:helixmesh:session:([0-9a-f]{64})',
    'Version: 1',
    `Chain ID: ${CHAIN_ID}`,
    'Nonce: ([0-9a-f]{32})',
    `Issued At: ${TIME}`,
    `Expiration Time: ${TIME}`,
    'Resources:',
    '- urn:helixmesh:network:([0-9a-f]{64})',
    '((?:- urn:helixmesh:scope:[a-z]{1,16}\n?){1,16})$',
  ].join('\n'),
);

/**
 * The EIP-4361 text. Throws USAGE for a delegation that is none: longer than a day, without scopes,
 * or with scopes in another order than `SCOPES`.
 */
export function formatSession(crypto: Crypto, delegation: SessionDelegation): string {
  const parsed = delegationSchema.safeParse(delegation);
  if (!parsed.success) {
    const paths = parsed.error.issues.map(({ path }) => path.join('.') || 'the whole');
    throw new AppError('USAGE', `a session is wrong in ${paths.join(', ')}`, {
      hint: 'Give one key, at least one scope, and an end within 24 hours.',
    });
  }
  const { account, sessionKey, network, scopes, nonce } = delegation;
  return [
    FIRST_LINE,
    checksumAddress(crypto, account),
    '',
    STATEMENT,
    '',
    `URI: urn:helixmesh:session:${sessionKey}`,
    'Version: 1',
    `Chain ID: ${CHAIN_ID}`,
    `Nonce: ${nonce}`,
    `Issued At: ${new Date(delegation.issuedAtMs).toISOString()}`,
    `Expiration Time: ${new Date(delegation.expiresAtMs).toISOString()}`,
    'Resources:',
    `- urn:helixmesh:network:${network.slice('sha256:'.length)}`,
    ...scopes.map((scope) => `- urn:helixmesh:scope:${scope}`),
  ].join('\n');
}

/** The delegation that a text states. Throws INPUT_MALFORMED for any other spelling of one. */
export function parseSession(crypto: Crypto, text: string): SessionDelegation {
  const found = text.length <= SESSION_BYTES_MAX ? MESSAGE.exec(text) : null;
  if (found === null) throw malformed('it is not the text of a session');
  const [, account = '', sessionKey, nonce, issued = '', expires = '', network, scopes = ''] =
    found;
  const parsed = delegationSchema.safeParse({
    account: account.toLowerCase(),
    sessionKey,
    network: `sha256:${network}`,
    scopes: scopes.split('\n').map((line) => line.slice('- urn:helixmesh:scope:'.length)),
    issuedAtMs: Date.parse(issued),
    expiresAtMs: Date.parse(expires),
    nonce,
  });
  if (!parsed.success) throw malformed('its scopes or times are not valid');
  if (formatSession(crypto, parsed.data) !== text) throw malformed('it is spelled otherwise');
  return parsed.data;
}

/** Signed by the wallet of `delegation.account`, which shows its owner the text. */
export async function signSession(
  crypto: Crypto,
  signer: WalletSigner,
  delegation: SessionDelegation,
): Promise<SignedSession> {
  const message = formatSession(crypto, delegation);
  return { message, signature: await signer.signMessage(utf8(message)) };
}

/** The value of the header `Helixmesh-Session`: base64 of canonical JSON. */
export function encodeSession({ message, signature }: SignedSession): string {
  return toBase64(encodeDocument({ message, signature }));
}

/** A header's value. Throws INPUT_MALFORMED. The text inside is read by `verifySession`. */
export function parseSignedSession(text: string): SignedSession {
  // Base64 is a third longer; text of any length is not decoded first.
  if (text.length > SESSION_BYTES_MAX * 2) throw malformed('it is too long');
  const options = { what: 'a session', maxBytes: SESSION_BYTES_MAX };
  return parseDocument(signedSessionSchema, fromBase64(text, 'a session'), options);
}

export type SessionVerdict =
  | { readonly status: 'valid'; readonly delegation: SessionDelegation }
  | {
      readonly status: 'invalid';
      readonly reason: 'message' | 'network' | 'not_yet' | 'expired' | 'signature';
    };

/**
 * Whether the account has delegated this, here and now. Recovering the signer costs milliseconds: a
 * server may keep the delegation of a header that it has verified, and must look at its times again.
 */
export function verifySession(
  crypto: Crypto,
  signed: SignedSession,
  at: { readonly network: Digest; readonly nowMs: number },
): SessionVerdict {
  const invalid = (reason: Extract<SessionVerdict, { status: 'invalid' }>['reason']) =>
    ({ status: 'invalid', reason }) as const;
  const delegation = delegationOf(crypto, signed.message);
  if (delegation === undefined) return invalid('message');
  if (delegation.network !== at.network) return invalid('network');
  if (delegation.issuedAtMs > at.nowMs + REQUEST_WINDOW_MS) return invalid('not_yet');
  if (delegation.expiresAtMs <= at.nowMs) return invalid('expired');
  const signer = recoverAddress(crypto, utf8(signed.message), signed.signature);
  if (signer !== delegation.account) return invalid('signature');
  return { status: 'valid', delegation };
}

function delegationOf(crypto: Crypto, message: string): SessionDelegation | undefined {
  try {
    return parseSession(crypto, message);
  } catch (error) {
    // What is not the text of a session is an expected outcome here.
    if (error instanceof AppError && error.code === 'INPUT_MALFORMED') return undefined;
    throw error;
  }
}

/** EIP-55: letters are upper case where the hash of the lower-case digits has a nibble of 8 or more. */
function checksumAddress(crypto: Crypto, address: string): string {
  const digits = address.slice(2);
  const hash = toHex(crypto.keccak256(utf8(digits)));
  const cased = [...digits].map((digit, i) =>
    Number.parseInt(hash[i] ?? '0', 16) >= 8 ? digit.toUpperCase() : digit,
  );
  return `0x${cased.join('')}`;
}

/** A pattern for exactly this text, whose only special letter is the dot. */
function literal(text: string): string {
  return text.replaceAll('.', '\\.');
}

function isInOrder(scopes: readonly Scope[]): boolean {
  const places = scopes.map((scope) => SCOPES.indexOf(scope));
  return places.every((place, i) => i === 0 || (places[i - 1] ?? 0) < place);
}

function malformed(why: string): AppError {
  return new AppError('INPUT_MALFORMED', `a session is not valid: ${why}`, {
    hint: 'Log in again with `biofs login`.',
  });
}

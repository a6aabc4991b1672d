/**
 * Logging in: what the wallet signs so that nothing else needs it until something new is decided.
 *
 *   session           an Ed25519 key signs requests for 24 h
 *   encryption key    headers for this person are sealed to this folder's X25519 key
 *   custodian         this folder's node releases the person's keys; where it has an address
 *   first head        nothing is revoked, and this folder's node says so from now on
 */
import { type Custody, openCustody } from '@helixmesh/daemon/custody';
import { loadIdentity, makeIdentity, type NodeIdentity } from '@helixmesh/daemon/identity';
import { AppError, type Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  CUSTODIAN_TYPE,
  type Custodian,
  ENCRYPTION_KEY_TYPE,
  type EncryptionKey,
  type Endpoint,
  encodeDocument,
  formatNodeAddress,
  KEY_BYTES,
  REVOCATION_HEAD_TYPE,
  type RevocationHead,
  signDocument,
  signSession,
  toBase64,
  toHex,
  type WalletSigner,
} from '@helixmesh/protocol/sealing';
import type { Context } from '../context.ts';
import { readLogin, writeLogin } from './login-record.ts';
import { joinNetwork, networkOf } from './network-file.ts';
import { readEndpoint } from './parse-address.ts';
import { SESSION_SCOPES, walletPassphrase } from './person.ts';
import { openWallet, type WalletPlace } from './wallet/wallet.ts';

export interface LogInOptions {
  /** Absolute path; the environment where it is absent. */
  readonly keyFile?: string;
  readonly passphraseFile?: string;
  readonly genesis?: string;
  readonly custodian?: Endpoint;
}

export interface LoggedIn {
  readonly account: string;
  readonly network: Digest;
  readonly expiresAtMs: number;
  readonly encryptionKey: string;
  /** Address of the person's custodian; null where this folder's node has none. */
  readonly custodian: string | null;
}

const SESSION_MS = 86_400_000;
const NONCE_BYTES = 16;
const crypto = nodeCrypto;

/** Throws CONFLICT when another account is logged in here, and what the wallet throws. */
export async function logIn(context: Context, options: LogInOptions): Promise<LoggedIn> {
  const { dataDir } = context.paths;
  const network =
    options.genesis === undefined
      ? await networkOf(crypto, dataDir)
      : await joinNetwork(crypto, dataDir, options.genesis);
  const place = placeOf(options.keyFile);
  const wallet = await openWallet(crypto, place, {
    env: process.env,
    passphrase: () => walletPassphrase(options.passphraseFile),
  });
  await refuseOther(dataDir, wallet.address);
  const identity = await identityOf(dataDir);
  const custody = await openCustody({ folder: dataDir, crypto, network, now: Date.now });
  try {
    const custodian = await stateCustodian(custody, wallet, {
      network,
      identity,
      endpoint: options.custodian ?? endpointOf(context),
    });
    await stateHead(custody, wallet, { network, identity });
    const encryptionKey = await signDocument<EncryptionKey>(wallet, {
      type: ENCRYPTION_KEY_TYPE,
      network,
      account: wallet.address,
      publicKey: toHex(identity.encryptionKey.publicKey),
      issuedAtMs: Date.now(),
      nonce: nonce(),
    });
    const { sessionKey, session, expiresAtMs } = await newSession(wallet, network);
    await writeLogin(crypto, dataDir, {
      account: wallet.address,
      wallet: place,
      sessionKey,
      session,
      expiresAtMs,
      encryptionKey: toBase64(encodeDocument(encryptionKey)),
    });
    const { publicKey } = encryptionKey.document;
    return {
      account: wallet.address,
      network,
      expiresAtMs,
      encryptionKey: publicKey,
      custodian,
    };
  } finally {
    custody.close();
  }
}

/** A head that revokes `revoked` too, signed and kept. Throws CONFLICT when another was faster. */
export async function signHead(
  custody: Custody,
  wallet: WalletSigner,
  by: { readonly network: Digest; readonly identity: NodeIdentity },
  revoked: readonly Digest[],
): Promise<RevocationHead> {
  const known = custody.currentHead(wallet.address);
  const before = known?.signed.document;
  const all = new Set([...(before?.revoked ?? []), ...revoked]);
  const head = await signDocument<RevocationHead>(wallet, {
    type: REVOCATION_HEAD_TYPE,
    network: by.network,
    owner: wallet.address,
    number: (before?.number ?? 0) + 1,
    previous: known?.id ?? null,
    revoked: [...all].sort(),
    custodian: toHex(by.identity.signingKey.publicKey),
    issuedAtMs: Date.now(),
  });
  custody.addHead(head);
  return head.document;
}

function placeOf(keyFile: string | undefined): WalletPlace {
  return keyFile === undefined ? { kind: 'environment' } : { kind: 'file', path: keyFile };
}

async function refuseOther(dataDir: string, account: string): Promise<void> {
  const known = await readLogin(dataDir);
  if (known === undefined || known.account === account) return;
  throw new AppError('CONFLICT', `${known.account} is logged in here`, {
    hint: 'Log out first, or name another folder with --data: each belongs to one person.',
  });
}

/** A folder without a node gets an identity of its own: its keys are the person's. */
async function identityOf(dataDir: string): Promise<NodeIdentity> {
  try {
    return await makeIdentity(dataDir);
  } catch (error) {
    if (AppError.from(error).code !== 'CONFLICT') throw error;
    return loadIdentity(dataDir);
  }
}

async function newSession(wallet: WalletSigner, network: Digest) {
  const sessionKey = crypto.random(KEY_BYTES);
  const issuedAtMs = Date.now();
  const expiresAtMs = issuedAtMs + SESSION_MS;
  const session = await signSession(crypto, wallet, {
    account: wallet.address,
    sessionKey: toHex(crypto.ed25519PublicKey(sessionKey)),
    network,
    scopes: SESSION_SCOPES,
    issuedAtMs,
    expiresAtMs,
    nonce: nonce(),
  });
  return { sessionKey, session, expiresAtMs };
}

interface CustodianFacts {
  readonly network: Digest;
  readonly identity: NodeIdentity;
  readonly endpoint: Endpoint | undefined;
}

/** Who the custodian is; the statement that is kept goes on where nothing new is known. */
async function stateCustodian(
  custody: Custody,
  wallet: WalletSigner,
  { network, identity, endpoint }: CustodianFacts,
): Promise<string | null> {
  const known = custody.custodianOf(wallet.address)?.document;
  const { nodeId } = identity;
  if (endpoint === undefined) {
    return known?.nodeId === nodeId ? formatNodeAddress({ nodeId, ...known.endpoint }) : null;
  }
  const statement = await signDocument<Custodian>(wallet, {
    type: CUSTODIAN_TYPE,
    network,
    owner: wallet.address,
    nodeId,
    endpoint,
    encryptionKey: toHex(identity.encryptionKey.publicKey),
    issuedAtMs: Date.now(),
    nonce: nonce(),
  });
  custody.setCustodian(statement);
  return formatNodeAddress({ nodeId, ...endpoint });
}

/** A first head, and a next one when this folder has another node key than the last one names. */
async function stateHead(
  custody: Custody,
  wallet: WalletSigner,
  by: Pick<CustodianFacts, 'network' | 'identity'>,
): Promise<void> {
  const known = custody.currentHead(wallet.address)?.signed.document;
  if (known?.custodian === toHex(by.identity.signingKey.publicKey)) return;
  await signHead(custody, wallet, by, []);
}

/** Where the settings of the folder say that its node answers; a port of 0 says nothing. */
function endpointOf({ loaded }: Context): Endpoint | undefined {
  const { roles, endpoint, listen } = loaded.config;
  const address = endpoint ?? listen;
  if (!roles.includes('custodian') || address === null) return undefined;
  return readEndpoint(address);
}

function nonce(): string {
  return toHex(crypto.random(NONCE_BYTES));
}

/**
 * Who a node or a person is in the network: an Ed25519 key that signs, an X25519 key to which others
 * seal, and a certificate that is made anew of the first one at each start.
 *
 *   <data folder>/identity/node.key         Ed25519 secret key, 64 lower-case hex digits, mode 0600
 *   <data folder>/identity/encryption.key   X25519 secret key, the same way
 *
 * Invariants
 * I1  A key file appears whole or not at all, and is never written over.
 * I2  `node.key` is written last: with it there is an identity, without it there is none yet.
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, type NodeId } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { fromHex, KEY_BYTES, type KeyPair, nodeIdOf, toHex } from '@helixmesh/protocol/sealing';
import { type CertificateOfKey, makeCertificate } from './certificate.ts';
import { KEY_FILE_BYTES_MAX } from './limits.ts';

export interface NodeIdentity extends CertificateOfKey {
  /** `node_` and the Ed25519 public key. */
  readonly nodeId: NodeId;
  /** Ed25519: signs requests, documents of this node and its certificate. */
  readonly signingKey: KeyPair;
  /** X25519: headers for this node are sealed to it. */
  readonly encryptionKey: KeyPair;
}

const FOLDER = 'identity';
const NODE_KEY = 'node.key';
const ENCRYPTION_KEY = 'encryption.key';
/** Anybody but the owner. */
const MODE_OF_OTHERS = 0o077;

/** Makes the identity of a data folder. Throws CONFLICT where there is one already. */
export async function makeIdentity(dataFolder: string): Promise<NodeIdentity> {
  const folder = join(dataFolder, FOLDER);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // A folder that was left without a node key belongs to nobody: its other key is used.
  await writeKey(folder, ENCRYPTION_KEY);
  if (!(await writeKey(folder, NODE_KEY))) {
    throw new AppError('CONFLICT', `${folder} holds an identity already`, {
      hint: 'Use the node that it belongs to, or give another folder with --data.',
    });
  }
  return loadIdentity(dataFolder);
}

/**
 * The identity of a data folder. Throws CONFIG_INVALID where there is none, where others may read
 * the keys, and where a file holds something else.
 */
export async function loadIdentity(dataFolder: string): Promise<NodeIdentity> {
  const folder = join(dataFolder, FOLDER);
  const [secretKey, encryptionKey] = await Promise.all([
    readKey(join(folder, NODE_KEY)),
    readKey(join(folder, ENCRYPTION_KEY)),
  ]);
  return identityOf(secretKey, encryptionKey);
}

/** An identity of keys that are in memory. */
export function identityOf(secretKey: Uint8Array, encryptionKey: Uint8Array): NodeIdentity {
  const signingKey = { secretKey, publicKey: nodeCrypto.ed25519PublicKey(secretKey) };
  return {
    nodeId: nodeIdOf(toHex(signingKey.publicKey)),
    signingKey,
    encryptionKey: {
      secretKey: encryptionKey,
      publicKey: nodeCrypto.x25519PublicKey(encryptionKey),
    },
    ...makeCertificate(signingKey),
  };
}

/** Writes a random key unless the file is there; true when it was written. */
async function writeKey(folder: string, name: string): Promise<boolean> {
  const aside = join(folder, `.${name}.${randomBytes(8).toString('hex')}`);
  try {
    const file = await open(aside, 'wx', 0o600);
    try {
      await file.writeFile(`${toHex(nodeCrypto.random(KEY_BYTES))}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    // A link, unlike a rename, fails where the name is taken.
    await link(aside, join(folder, name));
    await syncFolder(folder);
    return true;
  } catch (thrown) {
    if ((thrown as { code?: string }).code === 'EEXIST') return false;
    throw AppError.from(thrown);
  } finally {
    await rm(aside, { force: true });
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readKey(path: string): Promise<Uint8Array> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new AppError('CONFIG_INVALID', `there is no ${path}`, {
      hint: 'Make an identity with `helixmesh init`, or name its folder with --data.',
      cause,
    });
  });
  if ((found.mode & MODE_OF_OTHERS) !== 0) {
    throw new AppError('CONFIG_INVALID', `others may read ${path}`, {
      hint: `Run chmod 600 ${path}; make a new identity if others could have seen the key.`,
    });
  }
  const what = `the key in ${path}`;
  if (found.size > KEY_FILE_BYTES_MAX) {
    throw new AppError('CONFIG_INVALID', `${what} is too long`, { hint: HINT_RESTORE });
  }
  const file = await open(path);
  try {
    return fromHex((await file.readFile('utf8')).trimEnd(), { what, bytes: KEY_BYTES });
  } catch (cause) {
    throw new AppError('CONFIG_INVALID', `${what} is not 64 hex digits`, {
      hint: HINT_RESTORE,
      cause,
    });
  } finally {
    await file.close();
  }
}

const HINT_RESTORE = 'Put the file back from your backup.';

/**
 * The person of a data folder: their network, login, keys and custody, and how they reach nodes.
 * Loaded by the actions of commands, for help should not wait for it.
 */
import { bionfsVault, type Vault } from '@helixmesh/client/biofs';
import { type Channel, openChannel } from '@helixmesh/client/network';
import { type Custody, openCustody } from '@helixmesh/daemon/custody';
import { loadIdentity, type NodeIdentity } from '@helixmesh/daemon/identity';
import { AppError, type Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  type Crypto,
  formatNodeAddress,
  type NodeAddress,
  type Scope,
  type WalletSigner,
} from '@helixmesh/protocol/sealing';
import type { Context } from '../context.ts';
import { interruptible } from '../node-access.ts';
import { type Login, readLogin } from './login-record.ts';
import { networkOf } from './network-file.ts';
import { readSecret } from './secrets.ts';
import { openWallet } from './wallet/wallet.ts';

/** Where the keystore's passphrase may stand. */
export const WALLET_PASSPHRASE_VARIABLE = 'HELIXMESH_WALLET_PASSPHRASE';

/** What all sessions of this program may do. */
export const SESSION_SCOPES: readonly Scope[] = [
  'read',
  'list',
  'put',
  'cancel',
  'custody',
  'submit',
];

export interface Person {
  readonly crypto: Crypto;
  readonly network: Digest;
  readonly login: Login;
  readonly identity: NodeIdentity;
  readonly custody: Custody;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  /** The wallet that has logged in. Throws CONFLICT when another one is in its place. */
  wallet(passphraseFile?: string): Promise<WalletSigner>;
  /** Requests are signed by the session; one channel for each node. */
  channel(address: NodeAddress): Channel;
  vault(address: NodeAddress): Vault;
}

/** Throws UNAUTHENTICATED where nobody is logged in; when interrupted CANCELED, with `hint`. */
export async function withPerson<T>(
  context: Context,
  hint: string,
  use: (person: Person) => Promise<T>,
): Promise<T> {
  const { dataDir } = context.paths;
  const login = await readLogin(dataDir);
  if (login === undefined) throw loggedOut('nobody is logged in here');
  const network = await networkOf(nodeCrypto, dataDir);
  const identity = await loadIdentity(dataDir);
  const custody = await openCustody({
    folder: dataDir,
    crypto: nodeCrypto,
    network,
    now: Date.now,
  });
  const channels = makeChannels(network, login);
  try {
    return await interruptible(hint, (signal) =>
      use({
        crypto: nodeCrypto,
        network,
        login,
        identity,
        custody,
        signal,
        wallet: (passphraseFile) => walletOf(login, passphraseFile),
        channel: channels.channel,
        vault: (address) =>
          bionfsVault({
            name: formatNodeAddress(address),
            bionfs: channels.channel(address).bionfs,
          }),
      }),
    );
  } finally {
    channels.close();
    custody.close();
  }
}

/** The wallet that `login` remembers. */
async function walletOf(login: Login, passphraseFile: string | undefined): Promise<WalletSigner> {
  const wallet = await openWallet(nodeCrypto, login.wallet, {
    env: process.env,
    passphrase: () => walletPassphrase(passphraseFile),
  });
  if (wallet.address === login.account) return wallet;
  throw new AppError('CONFLICT', `the wallet is ${wallet.address}, not ${login.account}`, {
    hint: 'Put the other wallet back, or log in with this one.',
  });
}

export function walletPassphrase(file: string | undefined): Promise<string> {
  return readSecret({ what: 'the keystore', file, variable: WALLET_PASSPHRASE_VARIABLE });
}

function makeChannels(network: Digest, login: Login) {
  const open = new Map<string, Channel>();
  return {
    channel(address: NodeAddress): Channel {
      if (login.expiresAtMs <= Date.now()) throw loggedOut('the session has ended');
      const name = formatNodeAddress(address);
      const known = open.get(name);
      if (known !== undefined) return known;
      const signer = { secretKey: login.sessionKey, session: login.session };
      const channel = openChannel({ address, network, signer });
      open.set(name, channel);
      return channel;
    },
    close() {
      for (const channel of open.values()) channel.close();
    },
  };
}

function loggedOut(message: string): AppError {
  return new AppError('UNAUTHENTICATED', message, {
    hint: 'Log in with `biofs login --key-file <file>`.',
  });
}

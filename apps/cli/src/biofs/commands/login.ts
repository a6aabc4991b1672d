/** `biofs login` and `biofs logout`. */
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Endpoint } from '@helixmesh/protocol/sealing';
import type { Command } from 'commander';
import { answer, contextOf } from '../../context.ts';
import { dateTime } from '../../ui/format.ts';
import { pairs } from '../../ui/table.ts';
import { parseEndpoint } from '../parse-address.ts';

interface Options {
  readonly keyFile?: string;
  readonly passphraseFile?: string;
  readonly genesis?: string;
  readonly custodian?: Endpoint;
}

export function addLogin(program: Command): void {
  program
    .command('login')
    .summary('let this program act for your wallet, for a day')
    .description(
      'Signs with your wallet: a session of 24 hours, your encryption key, and who your custodian ' +
        'is. The key of the wallet stays where it is; the place is remembered. Without --key-file ' +
        'the key is read from HELIXMESH_WALLET_KEY.',
    )
    .option('--key-file <file>', 'key of the wallet: 64 hex digits, or a keystore (version 3)')
    .option('--passphrase-file <file>', 'its first line opens the keystore')
    .option('--genesis <where>', 'the network to join: its network.json, or a seed of it')
    .option(
      '--custodian <host:port>',
      'where your custodian answers (default: its settings)',
      parseEndpoint,
    )
    .action(async (options: Options, command) => {
      const context = contextOf(command);
      await mkdir(context.paths.dataDir, { recursive: true, mode: 0o700 });
      const { logIn } = await import('../log-in.ts');
      const done = await logIn(context, {
        ...options,
        ...(options.keyFile === undefined ? {} : { keyFile: resolve(options.keyFile) }),
      });
      answer(
        context,
        done,
        pairs([
          ['account', done.account],
          ['network', done.network],
          ['session until', `${dateTime(done.expiresAtMs)} UTC`],
          [
            'custodian',
            done.custodian ?? 'none: you can read what others grant, and keep your own',
          ],
        ]),
      );
    });
}

export function addLogout(program: Command): void {
  program
    .command('logout')
    .summary('forget the session')
    .description(
      'Destroys the key of the session and forgets where the wallet is. Keys of your datasets stay ' +
        'in the custody, and your custodian goes on answering.',
    )
    .action(async (_options: object, command) => {
      const context = contextOf(command);
      const { forgetLogin } = await import('../login-record.ts');
      const wasLoggedIn = await forgetLogin(context.paths.dataDir);
      answer(context, { wasLoggedIn }, wasLoggedIn ? 'Logged out.' : 'Nobody was logged in.');
    });
}

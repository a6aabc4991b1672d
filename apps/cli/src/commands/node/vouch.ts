import { resolve } from 'node:path';
import { AppError } from '@helixmesh/protocol';
import type { Command } from 'commander';
import { contextOf } from '../../context.ts';
import { parseTime } from '../../parse-time.ts';

interface VouchOptions {
  readonly zones: readonly string[];
  readonly operatorKeyFile: string;
  readonly until?: number;
  readonly genesis?: string;
  readonly passphraseFile?: string;
}

/** How long a statement holds unless told otherwise, ms: as long as a registration may. */
const VOUCHED_MS = 365 * 24 * 3_600_000;

export function addNodeVouch(node: Command): void {
  node
    .command('vouch')
    .summary('sign that a node is yours, and the zones it is in')
    .description(
      'Signs with the wallet of the operator who answers for a node. Put what it prints into the ' +
        'data folder of the node as `node.statement`: without it the node gets no tasks of others.',
    )
    .argument('<node>', 'its id, node_<64 hex digits>; `node show` tells it')
    .requiredOption('--zones <zones>', 'legal zones, as MX,NA or DE,EU', commaSeparated)
    .requiredOption('--operator-key-file <file>', 'key file or keystore of the operator')
    .option('--until <time>', 'end of the statement, e.g. 2027-01-31 (default: a year)', parseTime)
    .option('--genesis <file>', 'network.json of the network (default: of the data folder)')
    .option('--passphrase-file <file>', 'its first line opens the keystore')
    .action(async (id: string, options: VouchOptions, command) => {
      const context = contextOf(command);
      const { readNetworkFile, vouchFor } = await import('@helixmesh/daemon/identity');
      const { nodeCrypto } = await import('@helixmesh/protocol/node');
      const { openWallet } = await import('../../biofs/wallet/wallet.ts');
      const { readSecret } = await import('../../biofs/secrets.ts');
      const { WALLET_PASSPHRASE_VARIABLE } = await import('../../biofs/person.ts');
      const file = options.genesis === undefined ? undefined : resolve(options.genesis);
      const network = (await readNetworkFile(file ?? context.paths.networkFile)).id;
      const wallet = await openWallet(
        nodeCrypto,
        { kind: 'file', path: resolve(options.operatorKeyFile) },
        {
          env: process.env,
          passphrase: () =>
            readSecret({
              what: 'the keystore',
              file: options.passphraseFile,
              variable: WALLET_PASSPHRASE_VARIABLE,
            }),
        },
      );
      const untilMs = options.until ?? Date.now() + VOUCHED_MS;
      if (untilMs <= Date.now()) {
        throw new AppError('USAGE', 'the statement would be over already', {
          hint: 'Give --until a time to come.',
        });
      }
      const zones = options.zones;
      const statement = await vouchFor(wallet, { network, node: id, zones, untilMs });
      process.stdout.write(`${Buffer.from(statement).toString('utf8')}\n`);
    });
}

function commaSeparated(text: string): string[] {
  return text.split(',').map((part) => part.trim());
}

/** `biofs put`. */
import { join } from 'node:path';
import type { NodeAddress } from '@helixmesh/protocol/sealing';
import type { Command } from 'commander';
import { answer, type Context, contextOf } from '../../context.ts';
import { table } from '../../ui/table.ts';
import { parseVault } from '../parse-address.ts';
import type { PutDone } from '../put-files.ts';
import { parseZones, type TermsOptions, termsOf, withTermsOptions } from '../terms-options.ts';

interface Options extends TermsOptions {
  readonly vault: readonly NodeAddress[];
  readonly residency?: readonly string[];
  readonly regionGrants?: boolean;
  readonly anew?: boolean;
  readonly passphraseFile?: string;
}

export function addPut(program: Command): void {
  withTermsOptions(
    program
      .command('put')
      .summary('seal files and store them in vaults')
      .description(
        'Encrypts each file on this machine, keeps the keys in your custody, and then stores the ' +
          'encrypted body in each vault. Killed and started again, it goes on where it was; a file ' +
          'that is stored already is not sent again. The terms bind every grant. Of a folder all files ' +
          'are put, each a dataset of its own under its own name without the folder.',
      )
      .argument('<files...>', 'files to store, and folders of such')
      .requiredOption(
        '--vault <address>',
        'node_…@host:port; give more for more copies',
        parseVault,
      )
      .option('--residency <zones>', 'copies may lie in these zones only, e.g. EU', parseZones)
      .option('--region-grants', 'a key for each 16 MiB, so that parts can be granted')
      .option('--anew', 'store the file again though it is stored already')
      .option('--passphrase-file <file>', 'its first line opens the keystore'),
  ).action(async (files: string[], options: Options, command) => {
    const context = contextOf(command);
    const done = await putAll(context, files, options);
    const rows = done.map(({ fileName, dataset, uploads }) => [
      fileName,
      dataset,
      uploads.map(({ status }) => status).join(', '),
    ]);
    answer(
      context,
      done,
      table([{ title: 'file' }, { title: 'dataset' }, { title: 'vaults' }], rows),
    );
  });
}

async function putAll(
  context: Context,
  files: readonly string[],
  options: Options,
): Promise<readonly PutDone[]> {
  const { withPerson } = await import('../person.ts');
  const { putFiles } = await import('../put-files.ts');
  const { lockDataFolder } = await import('@helixmesh/daemon/data-folder');
  const { GROUP_SEGMENTS } = await import('@helixmesh/protocol/sealing');
  const hint = 'The same command goes on where it was.';
  return withPerson(context, hint, async (person) => {
    const lock = await lockDataFolder(join(context.paths.dataDir, 'put.lock'));
    try {
      return await putFiles(person, files, {
        spoolDir: join(context.paths.dataDir, 'spool'),
        wallet: await person.wallet(options.passphraseFile),
        vaults: options.vault,
        terms: {
          residency: options.residency === undefined ? null : [...options.residency],
          terms: termsOf(options),
          segmentsPerKey: options.regionGrants === true ? GROUP_SEGMENTS : null,
        },
        isAnew: options.anew ?? false,
        quiet: context.quiet,
      });
    } finally {
      await lock.release();
    }
  });
}

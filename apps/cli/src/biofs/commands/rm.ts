/** `biofs rm`. */
import { AppError } from '@helixmesh/protocol';
import type { Command } from 'commander';
import { answer, contextOf } from '../../context.ts';

interface Options {
  readonly shred?: boolean;
  readonly passphraseFile?: string;
}

export function addRm(program: Command): void {
  program
    .command('rm')
    .summary('destroy a dataset for good')
    .description(
      'Signs with your wallet that it is to go, destroys the keys in your custody, and has each vault ' +
        'delete the body; your custodian tells those that are away now. From the first moment on ' +
        'nobody can read it any more, you included; but backups of your keys made before, and what ' +
        'others have read, are out of its reach.',
    )
    .argument('<dataset>', 'id of the dataset, or its first digits')
    .option('--shred', 'yes, destroy the keys')
    .option('--passphrase-file <file>', 'its first line opens the keystore')
    .action(async (text: string, options: Options, command) => {
      if (options.shred !== true) {
        throw new AppError(
          'USAGE',
          'rm destroys the keys of the dataset, and there is no way back',
          {
            hint: 'Say so with --shred.',
          },
        );
      }
      const context = contextOf(command);
      const { withPerson } = await import('../person.ts');
      const { shredDataset } = await import('../shred-dataset.ts');
      const hint = 'Run the command again: the vaults may still have the body.';
      const done = await withPerson(context, hint, async (person) =>
        shredDataset(person, text, await person.wallet(options.passphraseFile)),
      );
      const lines = done.vaults.map(({ vault, outcome }) => `  ${vault}  ${outcome}`);
      answer(context, done, [`${done.dataset}: its keys are destroyed`, ...lines].join('\n'));
    });
}

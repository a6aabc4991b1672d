/** `biofs keys backup` and `biofs keys restore`. */
import { open, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { AppError } from '@helixmesh/protocol';
import type { Command } from 'commander';
import { answer, contextOf } from '../../context.ts';
import { bytes } from '../../ui/format.ts';

const VARIABLE = 'HELIXMESH_BACKUP_PASSPHRASE';

interface Options {
  readonly passphraseFile?: string;
}

export function addKeys(program: Command): void {
  const keys = program
    .command('keys')
    .summary('back up and restore the keys of your datasets')
    .description('Backs up and restores what the custody of this folder holds.')
    .helpCommand(false);
  addBackup(keys);
  addRestore(keys);
}

function addBackup(keys: Command): void {
  keys
    .command('backup')
    .summary('write all keys into one file, under a passphrase')
    .description(
      'Writes the keys of your datasets, grants and revocations into a new file, sealed with a ' +
        'passphrase. Without these keys nobody can read your data, you included. A dataset that is ' +
        'put later is not in it.',
    )
    .argument('<file>', 'new file')
    .option('--passphrase-file <file>', 'its first line is the passphrase')
    .action(async (file: string, options: Options, command) => {
      const context = contextOf(command);
      const { withPerson } = await import('../person.ts');
      const { readSecret } = await import('../secrets.ts');
      const done = await withPerson(context, HINT, async ({ custody }) => {
        const passphrase = await readSecret({
          what: 'the backup',
          file: options.passphraseFile,
          variable: VARIABLE,
          isNew: true,
        });
        const sealed = await custody.backup(passphrase);
        await writeNew(resolve(file), sealed);
        return {
          file: resolve(file),
          sizeBytes: sealed.length,
          datasets: custody.listDatasets().length,
        };
      });
      const text = `${done.datasets} datasets, ${bytes(done.sizeBytes)} in ${done.file}`;
      answer(
        context,
        done,
        `${text}\nKeep it apart from this machine, and the passphrase apart from it.`,
      );
    });
}

function addRestore(keys: Command): void {
  keys
    .command('restore')
    .summary('bring the keys of a backup back')
    .description(
      'Adds what a backup holds to the custody of this folder. Datasets that were shredded here do ' +
        'not come back.',
    )
    .argument('<file>', 'a file of `keys backup`')
    .option('--passphrase-file <file>', 'its first line is the passphrase')
    .action(async (file: string, options: Options, command) => {
      const context = contextOf(command);
      const { withPerson } = await import('../person.ts');
      const { readSecret } = await import('../secrets.ts');
      const done = await withPerson(context, HINT, async ({ custody }) => {
        const sealed = await readBackup(resolve(file));
        const what = 'the backup';
        const source = { what, file: options.passphraseFile, variable: VARIABLE };
        return custody.restore(sealed, await readSecret(source));
      });
      const { datasets, grants, invitations } = done;
      answer(
        context,
        done,
        `${datasets} datasets, ${grants} grants and ${invitations} received grants came back.`,
      );
    });
}

const HINT = 'Run the command again: nothing was left half done.';

async function writeNew(path: string, content: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600).catch((error) => {
    if (error.code !== 'EEXIST') throw AppError.from(error);
    throw new AppError('OUTPUT_IN_USE', `${path} is there already`, {
      hint: 'Give the name of a new file.',
    });
  });
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function readBackup(path: string): Promise<Uint8Array> {
  return readFile(path).catch((cause) => {
    throw new AppError('INPUT_NOT_FOUND', `cannot read the backup ${path}`, {
      hint: 'Name a file that `biofs keys backup` has written.',
      cause,
    });
  });
}

/** `biofs replicas` and `biofs replicate`. */
import type { NodeAddress } from '@helixmesh/protocol/sealing';
import type { Command } from 'commander';
import { answer, contextOf } from '../../context.ts';
import { bytes } from '../../ui/format.ts';
import { table } from '../../ui/table.ts';
import type { CopiesView, CopyView } from '../copies.ts';
import { parseVault } from '../parse-address.ts';

interface ReplicateOptions {
  readonly vault: readonly NodeAddress[];
}

export function addReplicas(program: Command): void {
  program
    .command('replicas')
    .summary('show where the copies of a dataset lie, and how they are')
    .description(
      'Asks each vault that shall have a copy. Vaults read all that they keep each week, and repair ' +
        'what is damaged from the other copies; blocks that nobody has are counted here.',
    )
    .argument('<dataset>', 'id of the dataset, or its first digits')
    .action(async (text: string, _options: object, command) => {
      const context = contextOf(command);
      const { withPerson } = await import('../person.ts');
      const { viewCopies } = await import('../copies.ts');
      const hint = 'Nothing was changed.';
      const view = await withPerson(context, hint, (person) => viewCopies(person, text));
      answer(context, view, copiesText(view));
    });
}

export function addReplicate(program: Command): void {
  program
    .command('replicate')
    .summary('have a vault fetch a copy of a dataset from those that have it')
    .description(
      'The vault asks your custodian, which has to be running, and fetches from the other vaults; ' +
        'nothing is sent from here, and no key goes anywhere. Where copies may lie only in some zones, ' +
        "the vault's operator has to have signed where it is. Broken off and started again, it goes on " +
        'where it was.',
    )
    .argument('<dataset>', 'id of the dataset, or its first digits')
    .requiredOption('--vault <address>', 'node_…@host:port; give more for more copies', parseVault)
    .action(async (text: string, { vault }: ReplicateOptions, command) => {
      const context = contextOf(command);
      const { withPerson } = await import('../person.ts');
      const { makeCopies } = await import('../copies.ts');
      const hint = 'The same command goes on where it was.';
      const { quiet } = context;
      const done = await withPerson(context, hint, (person) =>
        makeCopies(person, text, { vaults: vault, quiet }),
      );
      const rows = done.copies.map((copy) => [copy.vault, copy.status]);
      answer(context, done, table([{ title: 'vault' }, { title: 'copy' }], rows));
    });
}

function copiesText({ dataset, sizeBytes, residency, copies }: CopiesView): string {
  const where = residency === null ? 'anywhere' : `in ${residency.join(', ')}`;
  const head = `${dataset}  ${bytes(sizeBytes)}, copies may lie ${where}`;
  const columns = [{ title: 'vault' }, { title: 'zone' }, { title: 'copy' }];
  const rows = copies.map((copy) => [copy.vault, copy.zone ?? '-', stateText(copy)]);
  return [head, table(columns, rows)].join('\n');
}

function stateText({ state, lostBlocks, code, known }: CopyView): string {
  if (state === 'damaged') return `damaged: ${lostBlocks} blocks are lost`;
  if (state === 'unreachable') return `not reached (${code}); ${known} when last heard of`;
  if (state === 'absent') return known === 'coming' ? 'absent: it was coming' : 'absent';
  return 'whole';
}

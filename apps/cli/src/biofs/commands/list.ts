/** `biofs ls` and `biofs stat`. */
import type { Command } from 'commander';
import { answer, contextOf } from '../../context.ts';
import { bytes, dateTime } from '../../ui/format.ts';
import { dim } from '../../ui/style.ts';
import { pairs, table } from '../../ui/table.ts';
import type { DatasetView } from '../dataset-view.ts';

const HINT = 'Nothing was changed.';

export function addLs(program: Command): void {
  program
    .command('ls')
    .summary('list your datasets, and those that others have granted to you')
    .description(
      'Lists what the custody of this folder knows, without asking anybody. The names of files are ' +
        'known to their owner, and to those who have all of them.',
    )
    .action(async (_options: object, command) => {
      const context = contextOf(command);
      const { withPerson } = await import('../person.ts');
      const { listViews } = await import('../dataset-view.ts');
      const views = await withPerson(context, HINT, async (person) => listViews(person));
      const none = 'No dataset yet. Store one with `biofs put`, or accept a grant.';
      answer(context, views, views.length === 0 ? none : listText(views));
    });
}

export function addStat(program: Command): void {
  program
    .command('stat')
    .summary('show one dataset')
    .description('Shows size, terms, vaults and grants of a dataset, without asking anybody.')
    .argument('<dataset>', 'id of the dataset, or its first digits')
    .action(async (text: string, _options: object, command) => {
      const context = contextOf(command);
      const { withPerson } = await import('../person.ts');
      const { findDataset } = await import('../find-dataset.ts');
      const { viewOf } = await import('../dataset-view.ts');
      const view = await withPerson(context, HINT, async (person) =>
        viewOf(person, findDataset(person.custody, text)),
      );
      answer(context, view, statText(view));
    });
}

function listText(views: readonly DatasetView[]): string {
  return table(
    [
      { title: 'dataset' },
      { title: 'file' },
      { title: 'size', align: 'right' },
      { title: 'state' },
      { title: 'vaults', align: 'right' },
    ],
    views.map((view) => [
      view.shortId,
      view.fileName ?? dim('sealed'),
      bytes(view.sizeBytes),
      view.state,
      String(view.vaults.length),
    ]),
  );
}

function statText(view: DatasetView): string {
  return pairs([
    ['dataset', view.dataset],
    ['file', view.fileName ?? 'sealed: its name comes with the keys'],
    ...(view.mediaType === null ? [] : [['type', view.mediaType] as const]),
    ['size', `${bytes(view.sizeBytes)} (${view.sizeBytes.toLocaleString('en')} bytes)`],
    ['state', view.state],
    ['owner', view.owner],
    ['since', `${dateTime(view.addedAtMs)} UTC`],
    ['copies lie', view.residency === null ? 'anywhere' : `in ${view.residency.join(', ')}`],
    ['terms', view.termsText],
    ['parts', view.hasRegionGrants ? 'can be granted' : 'cannot be granted: one key opens all'],
    ...(view.regions ?? []).map((region) => ['region', region] as const),
    ...view.vaults.map((vault) => ['vault', vault] as const),
    ...view.grants.map((grant) => ['grant', grant] as const),
  ]);
}

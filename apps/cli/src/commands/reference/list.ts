import type { Command } from 'commander';
import { answer, contextOf } from '../../context.ts';
import { bytes } from '../../ui/format.ts';
import { table } from '../../ui/table.ts';

/** `sha256:` and twelve digits: enough to tell bundles apart by eye. */
const DIGEST_SHOWN = 19;

export function addReferenceList(reference: Command): void {
  reference
    .command('list')
    .summary('show the bundles that are kept')
    .description('Lists the bundles that are kept.')
    .action(async (_options: object, command) => {
      const context = contextOf(command);
      const { listReferences } = await import('@helixmesh/pipelines');
      const bundles = await listReferences(context.paths.referenceRoot);
      const rows = bundles.map((bundle) => [
        bundle.name,
        String(bundle.contigCount),
        bytes(bundle.sizeBytes),
        bundle.annotations.join(' '),
        bundle.digest.slice(0, DIGEST_SHOWN),
      ]);
      const columns = [
        { title: 'name' },
        { title: 'contigs', align: 'right' as const },
        { title: 'size', align: 'right' as const },
        { title: 'annotation' },
        { title: 'digest' },
      ];
      const none = 'No reference yet. Add one with `helixmesh reference add`.';
      answer(context, bundles, rows.length === 0 ? none : table(columns, rows));
    });
}

import type { Command } from 'commander';
import { answer, contextOf } from '../context.ts';
import { findJob } from '../find-job.ts';
import { connectToRead } from '../node-access.ts';
import { dateTime } from '../ui/format.ts';
import { table } from '../ui/table.ts';

export function addJournal(program: Command): void {
  program
    .command('journal')
    .summary('show what happened to a job, event by event')
    .description(
      'Shows the rows of the table `journal`, in order, each event once. The view ' +
        '`genomics_journal` of the same database shows them as sequence, step, timestamp, payload.',
    )
    .argument('<sample-or-job>', 'name of a sample (its newest job) or id of a job')
    .action(async (name: string, _options: object, command) => {
      const context = contextOf(command);
      const client = await connectToRead(context);
      const { jobId } = await findJob(client, name);
      const rows = await client.call('getJournal', { params: { jobId } });
      const text = table(
        [
          { title: 'sequence', align: 'right' },
          { title: 'at (UTC)' },
          { title: 'step' },
          { title: 'state' },
          { title: 'payload' },
        ],
        rows.map((row) => [
          String(row.sequence),
          dateTime(row.atMs),
          row.step,
          row.state,
          JSON.stringify(row.payload),
        ]),
      );
      answer(context, rows, text);
    });
}

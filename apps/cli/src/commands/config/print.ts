import { type ConfigKey, shownValue } from '@helixmesh/daemon/data-folder';
import type { Command } from 'commander';
import { answer, contextOf } from '../../context.ts';
import { table } from '../../ui/table.ts';

export function addConfig(program: Command): void {
  program
    .command('config')
    .summary('show the settings and where they come from')
    .description('Shows the settings of the node.')
    .helpCommand(false)
    .command('print')
    .summary('print every setting')
    .description('Prints every setting with its value and where it comes from.')
    .action((_options: object, command) => {
      const context = contextOf(command);
      const { config, origins } = context.loaded;
      const keys = Object.keys(config) as ConfigKey[];
      const settings = keys.map((key) => ({
        key,
        value: typeof config[key] === 'string' ? shownValue(config[key]) : config[key],
        origin: origins[key],
      }));
      const rows = settings.map(({ key, value, origin }) => [key, shownValue(value), origin]);
      answer(
        context,
        settings,
        table([{ title: 'setting' }, { title: 'value' }, { title: 'origin' }], rows),
      );
    });
}

/** What `helixmesh` and `biofs` have in common: global options, and how they end. */
import { type Command, CommanderError } from 'commander';
import { reportError } from './ui/errors.ts';
import { usageError } from './usage-error.ts';

/** sysexits(3): the command line was wrong. */
const EXIT_USAGE = 64;

export function withGlobalOptions(program: Command): Command {
  program
    .option('--data <dir>', 'data folder (default: $HELIXMESH_DATA or ~/.local/share/helixmesh)')
    .option('--config <file>', 'TOML file with the settings of the node')
    .option('--json', 'answer in JSON on standard output')
    .option('--quiet', 'no progress on standard error')
    .option('--no-color', 'no colours (as with NO_COLOR)')
    .showSuggestionAfterError(true)
    .helpCommand(false);
  program.hook('preAction', (command) => {
    if (command.opts()['color'] === false) process.env['NO_COLOR'] = '1';
  });
  return program;
}

/** Reports what `parseAsync` threw and answers the exit code. */
export function exitCodeOf(thrown: unknown, json: boolean): number {
  if (!(thrown instanceof CommanderError)) return reportError(thrown, json);
  // Asked for: --help and --version. Not asked for: a command group without a command.
  if (thrown.exitCode === 0) return 0;
  return thrown.code === 'commander.help' ? EXIT_USAGE : reportError(usageError(thrown), json);
}

/** Every command answers wrong usage by throwing, and our renderer alone speaks of it. */
export function throwOnError(command: Command): void {
  command.exitOverride();
  command.configureOutput({ outputError: () => undefined });
  command.commands.forEach(throwOnError);
}

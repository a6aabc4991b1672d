/**
 * The command tree. It loads what every command needs; an action imports the rest of what it uses,
 * so that `--version` does not wait for a node or a simulator.
 */
import { VERSION } from '@helixmesh/daemon/data-folder';
import { Command, CommanderError } from 'commander';
import { addCancel, addResume } from './commands/cancel.ts';
import { addCleanup } from './commands/cleanup.ts';
import { addConfig } from './commands/config/print.ts';
import { addDemo } from './commands/demo.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEvaluate } from './commands/evaluate.ts';
import { addJournal } from './commands/journal.ts';
import { addLogs } from './commands/logs.ts';
import { addReferenceAdd } from './commands/reference/add.ts';
import { addReferenceList } from './commands/reference/list.ts';
import { addReferenceShow, addReferenceVerify } from './commands/reference/show.ts';
import { addReport } from './commands/report.ts';
import { addRun } from './commands/run.ts';
import { addSimulate } from './commands/simulate.ts';
import { addStatus } from './commands/status.ts';
import { addSubmit } from './commands/submit.ts';
import { addUp } from './commands/up.ts';
import { addExamples } from './examples.ts';
import { reportError } from './ui/errors.ts';
import { usageError } from './usage-error.ts';

/** sysexits(3): the command line was wrong. */
const EXIT_USAGE = 64;

export function createProgram(): Command {
  const program = new Command('helixmesh')
    .description('From sequencing reads to a clinical report, durably, on your own machine.')
    .version(VERSION, '-V, --version')
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
  program.commandsGroup('Analyses:');
  addRun(program);
  addSubmit(program);
  addStatus(program);
  addLogs(program);
  addJournal(program);
  addReport(program);
  addCancel(program);
  addResume(program);
  program.commandsGroup('References:');
  const reference = program
    .command('reference')
    .summary('prepare, list and check reference bundles')
    .description('Prepares and keeps reference bundles.')
    .helpCommand(false);
  addReferenceAdd(reference);
  addReferenceList(reference);
  addReferenceShow(reference);
  addReferenceVerify(reference);
  program.commandsGroup('Trying out and checking:');
  addDemo(program);
  addSimulate(program);
  addEvaluate(program);
  program.commandsGroup('This machine:');
  addUp(program);
  addDoctor(program);
  addConfig(program);
  addCleanup(program);
  addExamples(program);
  throwOnError(program);
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
function throwOnError(command: Command): void {
  command.exitOverride();
  command.configureOutput({ outputError: () => undefined });
  command.commands.forEach(throwOnError);
}

/**
 * The command tree. It loads what every command needs; an action imports the rest of what it uses,
 * so that `--version` does not wait for a node or a simulator.
 */
import { VERSION } from '@helixmesh/daemon/data-folder';
import { Command } from 'commander';
import { addCancel, addResume } from './commands/cancel.ts';
import { addCheckReads } from './commands/check-reads.ts';
import { addCleanup } from './commands/cleanup.ts';
import { addConfig } from './commands/config/print.ts';
import { addDemo } from './commands/demo.ts';
import { addDevnet } from './commands/devnet.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEvaluate } from './commands/evaluate.ts';
import { addInit } from './commands/init.ts';
import { addJournal } from './commands/journal.ts';
import { addLogs } from './commands/logs.ts';
import { addNodeDrain, addNodeResume } from './commands/node/drain.ts';
import { addNodeList } from './commands/node/list.ts';
import { addNodeShow } from './commands/node/show.ts';
import { addNodeVouch } from './commands/node/vouch.ts';
import { addReferenceAdd } from './commands/reference/add.ts';
import { addReferenceList } from './commands/reference/list.ts';
import { addReferenceShow, addReferenceVerify } from './commands/reference/show.ts';
import { addReport } from './commands/report.ts';
import { addRouteExplain } from './commands/route/explain.ts';
import { addRun } from './commands/run.ts';
import { addSimulate } from './commands/simulate.ts';
import { addStatus } from './commands/status.ts';
import { addSubmit } from './commands/submit.ts';
import { addTaskDead } from './commands/task/dead.ts';
import { addTaskRetry } from './commands/task/retry.ts';
import { addUp } from './commands/up.ts';
import { addExamples, EXAMPLES } from './examples.ts';
import { throwOnError, withGlobalOptions } from './program-shape.ts';

export function createProgram(): Command {
  const program = withGlobalOptions(
    new Command('helixmesh')
      .description('From sequencing reads to a clinical report, durably, on your own machine.')
      .version(VERSION, '-V, --version'),
  );
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
  addCheckReads(program);
  program.commandsGroup('The network:');
  const node = program
    .command('node')
    .summary('list and show nodes of the network, drain this one, vouch for one')
    .description('Looks at the nodes of a network through its coordinator.')
    .helpCommand(false);
  addNodeList(node);
  addNodeShow(node);
  addNodeDrain(node);
  addNodeResume(node);
  addNodeVouch(node);
  addDevnet(program);
  addTasksOfNetwork(program);
  program.commandsGroup('This machine:');
  addInit(program);
  addUp(program);
  addDoctor(program);
  addConfig(program);
  addCleanup(program);
  addExamples(program, EXAMPLES);
  throwOnError(program);
  return program;
}

/** Where jobs of the network go, and those that were given up. */
function addTasksOfNetwork(program: Command): void {
  const route = program
    .command('route')
    .summary('why a job of the network went where it did')
    .description('Shows how the network decided where a job goes.')
    .helpCommand(false);
  addRouteExplain(route);
  const task = program
    .command('task')
    .summary('tasks of a coordinator that were given up')
    .description('Looks after tasks of the network, on the machine of its coordinator.')
    .helpCommand(false);
  addTaskDead(task);
  addTaskRetry(task);
}

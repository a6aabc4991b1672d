/** The command tree of `biofs`: sealed data on the network, as people keep, read, share and analyse it. */
import { VERSION } from '@helixmesh/daemon/data-folder';
import { Command } from 'commander';
import { addExamples } from '../examples.ts';
import { throwOnError, withGlobalOptions } from '../program-shape.ts';
import { addAnalyze } from './commands/analyze.ts';
import { addReplicas, addReplicate } from './commands/copies.ts';
import { addAccept, addAccessLog, addGrant, addGrants, addRevoke } from './commands/grants.ts';
import { addCancel, addJobs, addLogs, addStatus } from './commands/jobs.ts';
import { addKeys } from './commands/keys.ts';
import { addLs, addStat } from './commands/list.ts';
import { addLogin, addLogout } from './commands/login.ts';
import { addPolicy } from './commands/policy.ts';
import { addPut } from './commands/put.ts';
import { addCat, addDownload } from './commands/read.ts';
import { addResult } from './commands/result.ts';
import { addRm } from './commands/rm.ts';
import { addVerify } from './commands/verify.ts';
import { BIOFS_EXAMPLES } from './examples.ts';

export function createProgram(): Command {
  const program = withGlobalOptions(
    new Command('biofs')
      .description(
        'Your genomic data, sealed, in vaults that cannot read it; shared and analysed on your terms.',
      )
      .version(VERSION, '-V, --version'),
  );
  program.commandsGroup('You:');
  addLogin(program);
  addLogout(program);
  addKeys(program);
  program.commandsGroup('Data:');
  addPut(program);
  addLs(program);
  addStat(program);
  addCat(program);
  addDownload(program);
  addReplicas(program);
  addReplicate(program);
  addRm(program);
  program.commandsGroup('Sharing:');
  addGrant(program);
  addGrants(program);
  addRevoke(program);
  addAccept(program);
  addAccessLog(program);
  addPolicy(program);
  program.commandsGroup('Analyses:');
  addAnalyze(program);
  addJobs(program);
  addStatus(program);
  addLogs(program);
  addCancel(program);
  addResult(program);
  addVerify(program);
  addExamples(program, BIOFS_EXAMPLES);
  throwOnError(program);
  return program;
}

/** `biofs verify`. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { answer, contextOf } from '../../context.ts';
import { bytes, dateTime } from '../../ui/format.ts';
import { green } from '../../ui/style.ts';
import { pairs, table } from '../../ui/table.ts';
import type { VerifiedFolder } from '../analysis/verify-folder.ts';

export function addVerify(program: Command): void {
  program
    .command('verify')
    .summary('show which node has made the files of a result, for which job')
    .description(
      'Reads the signed statement that `biofs result` keeps beside the files (statement.json), checks ' +
        'its signature, and computes the SHA-256 of each file anew: a file that was changed, is ' +
        'missing or was added is an error. Needs no network, login or key, so anybody who is given ' +
        'the folder can do it. It shows what that node has stated, not that others agreed.',
    )
    .argument('<folder>', 'folder of a result')
    .action(async (folder: string, _options: object, command) => {
      const context = contextOf(command);
      const { nodeCrypto } = await import('@helixmesh/protocol/node');
      const { verifyFolder } = await import('../analysis/verify-folder.ts');
      const verified = await verifyFolder(nodeCrypto, resolve(folder));
      const { stated, ...rest } = verified;
      answer(context, { ...rest, ...stated }, verifiedText(verified));
    });
}

function verifiedText({ folder, statement, stated }: VerifiedFolder): string {
  const rows = stated.outputs.map(({ path, sizeBytes, sha256 }) => [
    path,
    bytes(sizeBytes),
    sha256,
  ]);
  const { nodeId, operator, job, taskId, attemptId, resultDigest, network } = stated;
  const { startedAtMs, endedAtMs } = stated;
  return [
    table([{ title: 'file' }, { title: 'size', align: 'right' }, { title: 'sha256' }], rows),
    pairs([
      ['folder', folder],
      ['files', green(`${rows.length}, as the node has stated and signed`)],
      ['node', nodeId],
      ['operator', operator === null ? 'none stated' : `${operator}, as the node states`],
      ['job', job],
      ['task', `${taskId}, attempt ${attemptId}`],
      ['made', `${dateTime(startedAtMs)} to ${dateTime(endedAtMs)} UTC, by the node's clock`],
      ['result', resultDigest],
      ['network', network],
      ['statement', statement],
    ]),
  ].join('\n\n');
}

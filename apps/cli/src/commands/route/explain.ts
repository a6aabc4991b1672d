import {
  AppError,
  DIGEST_PATTERN,
  type Digest,
  TASK_ID_PATTERN,
  type TaskId,
} from '@helixmesh/protocol';
import type { PlacementExplanation } from '@helixmesh/protocol/sealing';
import type { Command } from 'commander';
import { answer, type Context, contextOf } from '../../context.ts';
import { type CoordinatorUse, withCoordinator } from '../../coordinator.ts';
import { COORDINATOR_OPTION, type NodeOptions } from '../node/list.ts';

interface Options extends NodeOptions {
  readonly placement?: string;
}

export function addRouteExplain(route: Command): void {
  route
    .command('explain')
    .summary('show every candidate, what it failed, and how it scored')
    .description(
      'Shows the decision where a job went: every candidate, each constraint that it failed and each ' +
        'term of its score. The record is signed by the coordinator; the signature is checked, and ' +
        'the decision made again from the record, before anything is shown. It is for the requester ' +
        'of the job, for nodes that it was given to, and for the coordinator itself.',
    )
    .argument(
      '<id>',
      'a job (sha256:…, or its first digits where it was asked for) or a task (task_…)',
    )
    .option('--placement <id>', 'which decision about it (default: the newest)')
    .option(...COORDINATOR_OPTION)
    .action(async (id: string, options: Options, command) => {
      const context = contextOf(command);
      const { subject, coordinator } = await askedAbout(context, id);
      const placement = options.placement === undefined ? undefined : digestOf(options.placement);
      const { placements, verified } = await withCoordinator(
        context,
        options.coordinator ?? coordinator,
        async (use) => {
          const told = await explained(use, { subject, placement });
          const { verifiedRecord } = await import('../../verified-record.ts');
          const by = { network: use.network, coordinator: use.channel.address.nodeId, subject };
          return { placements: told.placements, verified: verifiedRecord(told.record, by) };
        },
      );
      const { placementText } = await import('../../ui/placement-text.ts');
      const json = { ...verified.document, placement: verified.id, placements };
      answer(context, json, placementText(verified, placements));
    });
}

interface Asked {
  readonly subject: Digest | TaskId;
  readonly placement: Digest | undefined;
}

/** As the person of this folder, and where it is not theirs as its node. */
async function explained(
  { channel, person }: CoordinatorUse,
  { subject, placement }: Asked,
): Promise<PlacementExplanation> {
  const input = { params: { subject }, query: { placement } };
  const account = await person();
  if (account !== null) {
    try {
      return await account.call('explainPlacement', input);
    } catch (error) {
      if (AppError.from(error).code !== 'OBJECT_NOT_FOUND') throw error;
    }
  }
  return channel.call('explainPlacement', input);
}

interface About {
  readonly subject: Digest | TaskId;
  /** Where this folder has sent its jobs; undefined where it has asked for none. */
  readonly coordinator: string | undefined;
}

/** By the first digits too of a job that was asked for in this folder. */
async function askedAbout({ loaded, paths }: Context, id: string): Promise<About> {
  const { listJobRecords } = await import('../../biofs/analysis/job-records.ts');
  const { nodeCrypto } = await import('@helixmesh/protocol/node');
  const records = await listJobRecords(nodeCrypto, paths.dataDir);
  const coordinator = (job?: string) =>
    loaded.config.coordinator ??
    (records.find((record) => record.id === job) ?? records[0])?.coordinator;
  if (DIGEST_PATTERN.test(id)) return { subject: id as Digest, coordinator: coordinator(id) };
  if (TASK_ID_PATTERN.test(id)) return { subject: id as TaskId, coordinator: coordinator() };
  if (records.length > 0) {
    const { findId } = await import('../../biofs/find-dataset.ts');
    const subject = findId(id, records, 'job');
    return { subject, coordinator: coordinator(subject) };
  }
  throw new AppError('USAGE', `neither a job nor a task: ${JSON.stringify(id.slice(0, 100))}`, {
    hint: 'Give sha256:<64 hex digits> or task_<32 hex digits>; first digits do where it was asked for.',
  });
}

function digestOf(id: string): Digest {
  if (DIGEST_PATTERN.test(id)) return id as Digest;
  throw new AppError('USAGE', '--placement names no decision', {
    hint: 'Give sha256:<64 hex digits>, as `helixmesh route explain` lists them.',
  });
}

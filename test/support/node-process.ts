/**
 * A node with chosen versions of the pipeline, as a later release would start it.
 *   node-process.ts DATA VERSION…
 * OUTCOME_POLL_MS: how often a waiting task reads SQL, in milliseconds.
 */
import { startNode } from '@helixmesh/daemon';
import { loadConfig } from '@helixmesh/daemon/data-folder';
import { germline } from '@helixmesh/pipelines';

const [dataDir, ...versions] = process.argv.slice(2);
const pollMs = process.env['OUTCOME_POLL_MS'];
const { config } = loadConfig({ env: process.env, flags: { dataDir } });
const node = await startNode({
  config,
  pipelines: versions.map((version) => ({ ...germline, version: Number(version) })),
  ...(pollMs === undefined
    ? {}
    : { outcomePoll: { firstMs: Number(pollMs), maxMs: Number(pollMs) } }),
});
process.once('SIGTERM', () => node.stop());
await node.stopped;

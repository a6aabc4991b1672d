import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serveHandlers } from '../restate/handlers.ts';
import { type JobEffects, pipelineWorkflow } from '../restate/pipeline-workflow.ts';
import { identityPublicKey, startRestateServer } from '../restate/server.ts';
import { type Database, openDatabase } from '../sql/database.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { createDispatcher } from './dispatch.ts';
import { getJobRow, submitJob } from './jobs.ts';

const folder = temporaryFolder('dispatch');

/** A pipeline that waits for ever. */
const WAITING = pipelineWorkflow(
  {
    name: 'waiting',
    version: 1,
    run: async (workflow) => {
      await workflow.signal('never');
      return { jobHash: '', deliverables: [], summary: {} } as never;
    },
  },
  {
    input: async () => null,
    started: async () => undefined,
    finished: async () => undefined,
    failed: async () => undefined,
    readOutput: async () => null,
    emit: async () => undefined,
  } satisfies JobEffects,
);

async function submitted(database: Database, outDir: string): Promise<string> {
  const { jobId } = await submitJob(database, {
    sampleId: 'S1',
    pipeline: 'waiting',
    workflow: 'waiting.v1',
    document: {},
    submissionKey: outDir,
    outDir,
    keepIntermediates: false,
  });
  return jobId;
}

test('a job that the engine has lost begins anew; one that it knows does not, just after its crash either', async () => {
  const database = await openDatabase(':memory:');
  let server = await startRestateServer(folder);
  const { admin, ingress } = server;
  const identityKey = await identityPublicKey(folder);
  const handlers = { services: [WAITING], stateDir: folder, admin, identityKey };
  const endpoint = await serveHandlers(handlers);
  const postponed: string[] = [];
  const dispatcher = createDispatcher({
    database,
    ingress,
    postponed: () => postponed.push('postponed'),
  });
  const known = await submitted(database, '/known');
  await dispatcher.dispatch();
  const lost = await submitted(database, '/lost');
  await database.updateTable('outbox').set({ sent_at: 1 }).where('job_id', '=', lost).execute();

  process.kill(server.pid, 'SIGKILL');
  await server.exited;
  const late = await submitted(database, '/late');
  await dispatcher.dispatch();
  assert.deepEqual(postponed, ['postponed'], 'its order waits for the engine');

  server = await startRestateServer(folder);
  await dispatcher.reconcile();
  const generations = [known, lost, late].map(
    async (id) => (await getJobRow(database, id)).generation,
  );
  assert.deepEqual(await Promise.all(generations), [1, 2, 1]);
  const waiting = database.selectFrom('outbox').selectAll().where('sent_at', 'is', null);
  assert.deepEqual(await waiting.execute(), []);
  await endpoint.close();
  await server.stop();
  await database.destroy();
});

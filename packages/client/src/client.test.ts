import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AppError } from '@helixmesh/protocol';
import { createClient } from './client.ts';

/** A client of a server that answers as `listener` says. */
async function clientOf(t: TestContext, listener: RequestListener) {
  const folder = await mkdtemp(join(tmpdir(), 'hm-client-'));
  const socketPath = join(folder, 'api.sock');
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });
  return createClient({ socketPath });
}

const HEALTH = { status: 'ok', version: '1.0.0', pid: 7, workflows: ['germline.v1'] };
const JOB_ID = 'job_0123456789abcdef';

test('parameters and query become a path, and the reply is checked', async (t) => {
  const seen: string[] = [];
  const client = await clientOf(t, (request, response) => {
    seen.push(`${request.method} ${request.url}`);
    response.end(request.url === '/health' ? JSON.stringify(HEALTH) : '[]');
  });
  assert.deepEqual(await client.call('getHealth', { params: {} }), HEALTH);
  await client.call('getJournal', { params: { jobId: JOB_ID }, query: { after: 5 } });
  await client.call('listJobs', { params: {}, query: { sampleId: 'A&b=1' } });
  assert.deepEqual(seen, [
    'GET /health',
    `GET /api/v1/jobs/${JOB_ID}/journal?after=5`,
    'GET /api/v1/jobs?sampleId=A%26b%3D1',
  ]);
});

test('a problem of the server arrives as the same error, hint included', async (t) => {
  const record = { code: 'OUTPUT_IN_USE', message: 'taken', hint: 'Choose another.' } as const;
  const client = await clientOf(t, (_request, response) => {
    response.writeHead(409, { 'content-type': 'application/problem+json' });
    response.end(JSON.stringify({ type: 'about:blank', title: 'x', status: 409, ...record }));
  });
  await assert.rejects(client.call('cancelJob', { params: { jobId: JOB_ID } }), (error) => {
    assert.ok(error instanceof AppError);
    assert.deepEqual(error.toRecord(), record);
    return true;
  });
});

test('a reply that breaks the contract and a failure without a record are errors', async (t) => {
  const client = await clientOf(t, (request, response) => {
    response.writeHead(request.url === '/health' ? 200 : 502);
    response.end('{"status":"dancing"}');
  });
  await assert.rejects(client.call('getHealth', { params: {} }));
  await assert.rejects(client.call('getJob', { params: { jobId: JOB_ID } }), { code: 'INTERNAL' });
});

test('nobody listening is DAEMON_UNREACHABLE and says how to start one', async () => {
  const client = createClient({ socketPath: join(tmpdir(), 'hm-nobody.sock') });
  await assert.rejects(client.call('getHealth', { params: {} }), (error) => {
    assert.ok(error instanceof AppError);
    assert.equal(error.code, 'DAEMON_UNREACHABLE');
    assert.match(error.hint ?? '', /helixmesh up/);
    return true;
  });
});

test('an aborted call ends at once', async (t) => {
  const controller = new AbortController();
  const client = await clientOf(t, () => controller.abort());
  await assert.rejects(client.call('getHealth', { params: {}, signal: controller.signal }), {
    name: 'AbortError',
  });
});

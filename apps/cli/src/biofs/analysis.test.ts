/**
 * Analyses as their requester sees them: command lines against a coordinator and two nodes over real
 * TLS. The nodes hand over the result of a real analysis, whole or not.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { openChannel } from '@helixmesh/client/network';
import { flipBit, makeResult, otherCalls } from '@helixmesh/daemon/testing/analysis';
import {
  formatNodeAddress,
  RESULT_STATEMENT,
  RESULT_STATEMENT_FILE,
  type ResultStatement,
} from '@helixmesh/protocol/sealing';
import { makeBench, runBiofs, runCli, startBiofs } from '../testing/cli.ts';
import { answerOf, failureOf, makeWorld, type World } from './testing/analysis-world.ts';

const LOOK_MS = 20;
/** Files that come before the fetch is held up, in the test that kills it. */
const THROUGH = 4;

let root = '';
let made: Awaited<ReturnType<typeof makeResult>>;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'hm-analysis-'));
  made = await makeResult(root);
});

after(() => rm(root, { recursive: true, force: true, maxRetries: 5 }));

function world(t: TestContext): Promise<World> {
  return makeWorld(t, { root, made });
}

/** Asks for the analysis, lets the nodes do it, and answers the id of the job that is over. */
async function analysed(w: World): Promise<string> {
  w.network.work();
  const { jobId, state } = await answerOf(w, [...w.analyze, ...w.coordinator, '--wait']);
  assert.equal(state, 'COMPLETE');
  return jobId;
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await delay(LOOK_MS);
}

async function jobCount({ network }: World): Promise<number> {
  return (await network.database.selectFrom('network_jobs').select('job_id').execute()).length;
}

async function paths(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .sort();
}

/** What a fetched result is: the files of the analysis, and what the node has signed of them. */
async function fetchedPaths(): Promise<string[]> {
  return [...(await paths(made.outDir)), RESULT_STATEMENT_FILE].sort();
}

/** Neither sealed nor half there. */
function isOpened(name: string): boolean {
  return !/\.c4gh$|\.part$|^lock/.test(name);
}

test('a printed request is the body by which anybody sends the job, and it is the same job', async (t) => {
  const w = await world(t);
  const printed = await runBiofs(w, [...w.analyze, ...w.coordinator, '--print-request']);
  assert.equal(printed.code, 0, printed.stderr);
  assert.equal(await jobCount(w), 0, 'nothing is sent');
  const sender = openChannel({ address: w.network.coordinator, network: w.network.network });
  t.after(() => sender.close());
  const body = JSON.parse(printed.stdout);
  const { status, job_id } = await sender.call('executeJob', { body });
  assert.equal(status, 'queued');
  const again = await answerOf(w, [...w.analyze, ...w.coordinator, '--print-request']);
  assert.deepEqual([again.parameters, again.ip_id], [body.parameters, body.ip_id]);
  assert.notEqual(again.session_token, body.session_token);
  assert.equal((await sender.call('executeJob', { body: again })).job_id, job_id);
  const { jobId } = await answerOf(w, ['status', job_id, ...w.coordinator]);
  assert.deepEqual([jobId, await jobCount(w)], [job_id, 1]);
});

test('an analysis is asked for, watched, and its result fetched and checked', async (t) => {
  const w = await world(t);
  const asked = await runBiofs(w, [...w.analyze, ...w.coordinator]);
  assert.equal(asked.code, 0, asked.stderr);
  assert.match(asked.stdout, /state +QUEUED|state +RUNNING/);
  const [{ jobId }] = await answerOf(w, ['jobs']);
  const job = jobId.slice('sha256:'.length, 'sha256:'.length + 12);
  assert.equal(await failureOf(w, ['result', job, '--out', 'early']), 'BUSY');
  assert.equal(existsSync(join(w.folder, 'early.partial')), false);

  w.network.work();
  const waited = await runBiofs(w, ['status', job, '--wait']);
  assert.equal(waited.code, 0, waited.stderr);
  assert.match(waited.stdout, /state +COMPLETE[\s\S]*2 operators agree[\s\S]*biofs result/);
  assert.match(waited.stderr, /COMPLETE {2}2 revealed/);
  const logs = await answerOf(w, ['logs', job, '-f']);
  const events = logs.map(({ event }: { event: string }) => event);
  assert.deepEqual(events.slice(0, 2), ['submitted', 'offered']);
  assert.equal(events.at(-1), 'over');
  assert.deepEqual(
    ['taken', 'committed', 'revealed'].map((e) => events.filter((x: string) => x === e).length),
    [2, 2, 2],
  );

  const done = await answerOf(w, ['result', job, '--out', 'out']);
  assert.equal(done.resultDigest, w.network.resultDigest);
  assert.equal(done.isChecked, true);
  assert.ok(done.reads.primaryRecords > 1_000, `${done.reads.primaryRecords} reads`);
  assert.deepEqual(done.refused, []);
  const out = join(w.folder, 'out');
  assert.deepEqual(await paths(out), await fetchedPaths());
  for (const name of ['sample.bam', 'sample.vcf.gz', 'sample.qc.json']) {
    assert.deepEqual(await readFile(join(out, name)), await readFile(join(made.outDir, name)));
  }
  assert.equal((await stat(out)).mode & 0o077, 0);
  assert.equal(existsSync(`${out}.partial`), false);
  const own = done.files.filter(({ isAgreed }: { isAgreed: boolean }) => !isAgreed);
  assert.ok(own.length > 0 && own.length < done.files.length, 'indexes and reports are told apart');
  assert.equal(await failureOf(w, ['result', job, '--out', 'out']), 'OUTPUT_IN_USE');
});

test('who has the reads sees whether all of them are in the alignments, and no others', async (t) => {
  const w = await world(t);
  const job = await analysed(w);
  const [r1 = '', r2 = ''] = ['R1', 'R2'].map((mate) =>
    join(root, 'input', `reads_${mate}.fastq.gz`),
  );
  const result = ['result', job, '--out', 'out', '--reads'];
  assert.equal(await failureOf(w, [...result, r1, 'nowhere.fastq.gz']), 'INPUT_NOT_FOUND');
  const wrong = await runBiofs(w, ['--json', ...result, r2, r1]);
  const { error } = JSON.parse(wrong.stdout);
  assert.equal(error.code, 'RESULT_DIFFERS');
  assert.match(error.hint, /R1 before R2/);
  assert.doesNotMatch(wrong.stderr, /not taken/, 'no node is blamed for files of the requester');
  assert.equal(existsSync(join(w.folder, 'out')), false);
  const { reads } = await answerOf(w, [...result, r1, r2]);
  assert.equal(reads.isCompared, true);
});

test('where a job was asked for, its first digits are enough to hear why it went where it did', async (t) => {
  const w = await world(t);
  const job = await analysed(w);
  const explain = ['route', 'explain', job.slice('sha256:'.length, 'sha256:'.length + 12)];
  const { code, stdout, stderr } = await runCli(w, explain);
  assert.equal(code, 0, stderr);
  assert.match(stdout, new RegExp(`job +${job}`));
});

test('killed between signing and sending, and given again, it is one job', async (t) => {
  const w = await world(t);
  const open = new Set<Socket>();
  const silent = createServer((socket) => open.add(socket)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.after(() => {
    for (const socket of open) socket.destroy();
    silent.close();
  });
  const { port } = silent.address() as { port: number };
  const nowhere = formatNodeAddress({ ...w.network.coordinator, port });
  const child = startBiofs(w, [...w.analyze, '--coordinator', nowhere]);
  await until(() => existsSync(join(w.dataDir, 'network-jobs')) && open.size > 0);
  child.kill('SIGKILL');
  await once(child, 'close');
  assert.equal(await jobCount(w), 0);
  const [signed, ...others] = await answerOf(w, ['jobs']);
  assert.deepEqual([signed.state, others.length], [null, 0]);

  const sent = await answerOf(w, [...w.analyze, ...w.coordinator]);
  const again = await answerOf(w, [...w.analyze, ...w.coordinator]);
  assert.deepEqual([sent.jobId, again.jobId], [signed.jobId, signed.jobId]);
  assert.deepEqual([sent.isNew, again.isNew], [true, false]);
  assert.equal(await jobCount(w), 1);
  const other = await answerOf(w, [...w.analyze, ...w.coordinator, '--anew']);
  assert.notEqual(other.jobId, signed.jobId);
  assert.equal(await jobCount(w), 2);
});

test('a canceled job is over, and the same is asked for again as another job', async (t) => {
  const w = await world(t);
  const { jobId } = await answerOf(w, [...w.analyze, ...w.coordinator]);
  assert.equal((await answerOf(w, ['cancel', jobId])).state, 'CANCELED');
  assert.equal(await failureOf(w, ['result', jobId, '--out', 'out']), 'CANCELED');
  const next = await answerOf(w, [...w.analyze, ...w.coordinator]);
  assert.notEqual(next.jobId, jobId);
  const states = (await answerOf(w, ['jobs'])).map(({ state }: { state: string }) => state);
  assert.deepEqual([states.length, states[1]], [2, 'CANCELED']);
});

test('a byte that was flipped at one node: the result comes from the other', async (t) => {
  const w = await world(t);
  const [first, second] = w.network.nodes;
  for (const node of [first, second]) assert.ok(node);
  if (first) first.lie = { afterSealing: flipBit };
  const job = await analysed(w);
  const { nodeId, refused } = await answerOf(w, ['result', job, '--out', 'out']);
  assert.equal(nodeId, second?.nodeId);
  for (const one of refused)
    assert.deepEqual([one.nodeId, one.code], [first?.nodeId, 'CIPHERTEXT_INVALID']);
  assert.ok(refused.length === 1 || first?.fetches.length === 0);
  assert.deepEqual(await paths(join(w.folder, 'out')), await fetchedPaths());
});

test('files whose digest is not the agreed one are refused, and nothing gets its name', async (t) => {
  const w = await world(t);
  const outDir = await otherCalls(made.outDir, join(w.folder, 'other'));
  for (const node of w.network.nodes) node.lie = { outDir };
  const job = await analysed(w);
  assert.equal(await failureOf(w, ['result', job, '--out', 'out']), 'RESULT_DIFFERS');
  for (const { fetches } of w.network.nodes) assert.ok(fetches.length > 3, 'both were asked');
  assert.equal(existsSync(join(w.folder, 'out')), false);
  assert.equal(existsSync(join(w.folder, 'out.partial')), false);
});

test('who is given the folder of a result sees by its files alone which node made them, for which job', async (t) => {
  const w = await world(t);
  const job = await analysed(w);
  const done = await answerOf(w, ['result', job, '--out', 'out']);
  const stranger = await makeBench(t);
  const out = join(w.folder, 'out');
  const shown = await answerOf(stranger, ['verify', out]);
  assert.deepEqual([shown.nodeId, shown.job, shown.statement], [done.nodeId, job, done.statement]);
  assert.equal(shown.resultDigest, w.network.resultDigest);
  assert.equal(shown.outputs.length, done.files.length);
  const { stdout, code } = await runBiofs(stranger, ['verify', out]);
  assert.equal(code, 0);
  assert.match(stdout, new RegExp(`node +${done.nodeId}[\\s\\S]*job +${job}`));

  await appendFile(join(out, 'sample.bam.bai'), 'x');
  await writeFile(join(out, 'notes.txt'), 'mine');
  const { error } = JSON.parse((await runBiofs(stranger, ['--json', 'verify', out])).stdout);
  assert.equal(error.code, 'INPUT_CHANGED');
  assert.match(error.message, /changed: sample\.bam\.bai; added: notes\.txt/);
});

test('files that are not, byte for byte, what their node has signed are refused', async (t) => {
  const w = await world(t);
  for (const node of w.network.nodes) node.lie = { statement: ofOtherBytes };
  const job = await analysed(w);
  assert.equal(await failureOf(w, ['result', job, '--out', 'out']), 'RESULT_DIFFERS');
  for (const { fetches } of w.network.nodes) assert.ok(fetches.length > 3, 'both were asked');
  assert.equal(existsSync(join(w.folder, 'out')), false);
  assert.equal(existsSync(join(w.folder, 'out.partial')), false);
});

/** Another file that nodes do not compare, of the same size. */
function ofOtherBytes(honest: ResultStatement): ResultStatement {
  const at = honest.outputs.findIndex(({ canonical }) => canonical === null);
  assert.notEqual(at, -1);
  const outputs = honest.outputs.map((output, i) =>
    i === at ? { ...output, sha256: honest.jobHash } : output,
  );
  return { ...honest, outputs };
}

test('a node that states another job, or nothing at all, is left, and the result comes from the other', async (t) => {
  const w = await world(t);
  const [first = assert.fail(), second = assert.fail()] = w.network.nodes;
  first.lie = { statement: (honest) => ({ ...honest, job: honest.jobHash }) };
  second.lie = { afterSealing: (folder) => rm(join(folder, RESULT_STATEMENT)) };
  const job = await analysed(w);
  const failed = await runBiofs(w, ['--json', 'result', job, '--out', 'out']);
  const { error } = JSON.parse(failed.stdout);
  assert.equal(error.code, 'NOT_FOUND', 'a node of an older version');
  assert.match(error.hint, /--unsigned/);
  const codes = error.details.nodes.map(({ code }: { code: string }) => code).sort();
  assert.deepEqual(codes, ['NOT_FOUND', 'RESULT_DIFFERS']);
  for (const { fetches } of [first, second]) assert.ok(fetches.length < 3, 'no file was fetched');

  const done = await answerOf(w, ['result', job, '--out', 'out', '--unsigned']);
  assert.deepEqual([done.nodeId, done.statement], [second.nodeId, null]);
  assert.deepEqual(await paths(join(w.folder, 'out')), await paths(made.outDir));
  assert.equal(await failureOf(w, ['verify', 'out']), 'INPUT_NOT_FOUND');
});

test('a fetch that is killed goes on where it was', async (t) => {
  const w = await world(t);
  const reached = Promise.withResolvers<string>();
  for (const node of w.network.nodes) {
    node.lie = {
      onPiece: async (name) => {
        // The files of lower numbers come through.
        if (!(Number.parseInt(name, 10) > THROUGH)) return;
        reached.resolve(name);
        await new Promise(() => undefined);
      },
    };
  }
  const job = await analysed(w);
  const child = startBiofs(w, ['result', job, '--out', 'out']);
  await reached.promise;
  const partial = join(w.folder, 'out.partial');
  await until(async () => (await paths(partial)).filter(isOpened).length >= THROUGH);
  child.kill('SIGKILL');
  await once(child, 'close');
  assert.equal(existsSync(join(w.folder, 'out')), false);
  const kept = (await paths(partial)).filter(isOpened);
  const first = w.network.nodes.find(({ fetches }) => fetches.length > 0);
  const before = new Set(first?.fetches);
  for (const node of w.network.nodes) node.lie = null;

  const { nodeId } = await answerOf(w, ['result', job, '--out', 'out']);
  assert.equal(nodeId, first?.nodeId);
  const again = first?.fetches.slice(before.size) ?? [];
  const files = await paths(made.outDir);
  assert.ok(again.length <= files.length - kept.length, `${again.join(' ')} for ${kept.join(' ')}`);
  assert.deepEqual(await paths(join(w.folder, 'out')), await fetchedPaths());
});

test('what is sealed to another key is refused, by whoever it was', async (t) => {
  const w = await world(t);
  for (const node of w.network.nodes) node.lie = { recipient: new Uint8Array(32).fill(9) };
  const job = await analysed(w);
  assert.equal(await failureOf(w, ['result', job, '--out', 'out']), 'KEY_NOT_HELD');
  assert.equal(existsSync(join(w.folder, 'out.partial')), false);
  const file = join(w.dataDir, 'identity', 'encryption.key');
  await writeFile(file, `${'7'.repeat(64)}\n`, { mode: 0o600 });
  const fetched = w.network.nodes.flatMap(({ fetches }) => fetches).length;
  assert.equal(await failureOf(w, ['result', job, '--out', 'out']), 'KEY_NOT_HELD');
  assert.equal(
    w.network.nodes.flatMap(({ fetches }) => fetches).length,
    fetched,
    'nobody is asked',
  );
});

test('wrong wishes are refused before anything is signed', async (t) => {
  const w = await world(t);
  const asked = [...w.analyze, ...w.coordinator];
  const [r1 = ''] = w.analyze.slice(1);
  const other = formatNodeAddress({
    ...w.network.coordinator,
    nodeId: `node_${'0'.repeat(64)}` as never,
  });
  const wrong: readonly (readonly [string, readonly string[]])[] = [
    ['USAGE', ['analyze', r1, r1, ...asked.slice(3)]],
    ['NOT_FOUND', ['analyze', 'abcd1234', ...asked.slice(3)]],
    ['NOT_FOUND', [...asked, '--reference', 'nothing-here']],
    ['USAGE', [...asked, '--pipeline', 'somatic']],
    ['USAGE', [...asked, '--redundancy', '9']],
    ['USAGE', [...asked, '--max-price', '1,50']],
    ['USAGE', w.analyze],
    ['PEER_NOT_TRUSTED', [...w.analyze, '--coordinator', other]],
    ['NOT_FOUND', ['status', 'abcd1234']],
  ];
  for (const [code, args] of wrong) assert.equal(await failureOf(w, args), code, args.join(' '));
  assert.deepEqual(await answerOf(w, ['jobs']), []);
});

/** Commands load what they use and no more: a start should not wait for parts of other commands. */
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Bench, makeBench, runBiofs, runCli, startDaemon } from './testing/cli.ts';

/** Packages that take long to load, by what the address of their modules holds. */
const HEAVY = {
  pipelines: '/packages/pipelines/',
  engine: '/node_modules/@restatedev/',
  http: '/node_modules/fastify/',
  sql: '/node_modules/kysely/',
} as const;
/** sysexits(3): what the daemon answers to reads that are not there. */
const EXIT_NO_INPUT = 66;

type Heavy = keyof typeof HEAVY;

interface CoverageFile {
  readonly result: readonly { readonly url: string }[];
}

/** Which heavy packages a command loads, from what Node says of the coverage of its modules. */
async function heavyOf(
  bench: Bench,
  line: string,
  exitCode = 0,
  program = runCli,
): Promise<Heavy[]> {
  const coverage = join(bench.folder, `coverage of ${line}`);
  const env = { ...bench.env, NODE_V8_COVERAGE: coverage };
  const { code, stderr } = await program({ ...bench, env }, line.split(' '));
  assert.equal(code, exitCode, stderr);
  const files = await readdir(coverage);
  const texts = await Promise.all(files.map((name) => readFile(join(coverage, name), 'utf8')));
  const urls = texts.flatMap((text) => (JSON.parse(text) as CoverageFile).result.map((r) => r.url));
  assert.ok(
    urls.some((url) => url.endsWith('/apps/cli/src/program-shape.ts')),
    'the modules that are loaded are seen',
  );
  return (Object.keys(HEAVY) as Heavy[]).filter((name) =>
    urls.some((url) => url.includes(HEAVY[name])),
  );
}

async function assertLoads(t: TestContext, line: string, expected: readonly Heavy[]) {
  assert.deepEqual(await heavyOf(await makeBench(t), line), expected);
}

test('version, help and settings load no heavy package', async (t) => {
  for (const line of ['--version', '--help', 'run --help', 'config print', 'cleanup']) {
    await assertLoads(t, line, []);
  }
});

test('biofs loads no heavy package, whether it helps or looks into a custody', async (t) => {
  const bench = await makeBench(t);
  assert.deepEqual(await heavyOf(bench, 'put --help', 0, runBiofs), []);
  const key = 'ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80';
  const genesis =
    '{"attestedOperators":[],"coordinators":[],"createdAtMs":0,"name":"test",' +
    '"nonce":"00112233445566778899aabbccddeeff","type":"helixmesh/genesis/v1"}';
  await writeFile(join(bench.folder, 'network.json'), genesis);
  const person = { ...bench, env: { ...bench.env, HELIXMESH_WALLET_KEY: key } };
  assert.deepEqual(await heavyOf(person, 'login --genesis network.json', 0, runBiofs), []);
  assert.deepEqual(await heavyOf(person, 'ls', 0, runBiofs), []);
});

test('what works on files loads the pipelines, and no engine', (t) =>
  assertLoads(t, 'reference list', ['pipelines']));

test('a command that asks a daemon loads no heavy package; without one it reads SQL', async (t) => {
  const bench = await makeBench(t);
  const stop = await startDaemon(t, bench);
  assert.deepEqual(await heavyOf(bench, 'status --json'), []);
  const run = 'run --sample S1 --r1 absent.fastq --reference absent';
  assert.deepEqual(await heavyOf(bench, run, EXIT_NO_INPUT), []);
  await stop();
  assert.deepEqual(await heavyOf(bench, 'status --json'), ['sql']);
});

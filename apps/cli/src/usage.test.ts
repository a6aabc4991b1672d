import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeBench, runCli } from './testing/cli.ts';

async function run(t: TestContext, line: string) {
  return runCli(await makeBench(t), line.split(' '));
}

test('an unknown command is answered with a suggestion and exit 64', async (t) => {
  const { code, stdout, stderr } = await run(t, 'statsu');
  assert.equal(code, 64);
  assert.equal(stdout, '');
  assert.match(stderr, /^error: unknown command 'statsu'\n {2}→ Did you mean status\?\n/);
});

test('an unknown flag is answered with a suggestion and exit 64', async (t) => {
  const { code, stderr } = await run(t, 'status --wy');
  assert.equal(code, 64);
  assert.match(stderr, /unknown option '--wy'\n {2}→ Did you mean --why\?/);
});

test('with --json a failure is one JSON document on standard output', async (t) => {
  const { code, stdout, stderr } = await run(t, '--json status S1');
  assert.equal(code, 69);
  assert.equal(stderr, '');
  const { error } = JSON.parse(stdout);
  assert.equal(error.code, 'DAEMON_UNREACHABLE');
  assert.match(error.hint, /helixmesh up/);
});

test('reads that are not there are told before anything starts', async (t) => {
  const bench = await makeBench(t);
  await mkdir(join(bench.folder, 'data'));
  await writeFile(join(bench.folder, 'ref.fa'), '>chr1\nACGT\n');
  const line = 'run --sample S1 --r1 absent.fq.gz --reference nowhere/ref.fa';
  const { code, stderr } = await runCli(bench, line.split(' '));
  assert.equal(code, 66, stderr);
  assert.match(stderr, /absent\.fq\.gz|nowhere\/ref\.fa/);
  assert.match(stderr, /\n {2}→ .+\n {2}code INPUT_NOT_FOUND/);
});

test('help goes to standard output and holds examples', async (t) => {
  const { code, stdout, stderr } = await run(t, 'run --help');
  assert.equal(code, 0);
  assert.equal(stderr, '');
  assert.match(stdout, /Examples:\n {2}helixmesh run --sample/);
});

test('the settings are shown with their origin', async (t) => {
  const { code, stdout } = await run(t, '--json config print');
  assert.equal(code, 0);
  const settings = JSON.parse(stdout) as { key: string; origin: string }[];
  const data = settings.find(({ key }) => key === 'dataDir');
  assert.equal(data?.origin, 'environment HELIXMESH_DATA');
});

test('cleanup of a data folder that is not there has nothing to delete', async (t) => {
  const { code, stdout, stderr } = await run(t, '--json cleanup');
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), { deleted: [] });
});

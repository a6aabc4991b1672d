/** The tarball that users install is whole: it works in an empty folder, without this checkout. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');
const INSTALL_TIMEOUT_MS = 180_000;

test('the packed command line, installed into an empty folder, runs the demo', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'hm-pack-'));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const { NODE_OPTIONS: _, ...inherited } = process.env;
  const env = {
    ...inherited,
    PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`,
    SCARF_ANALYTICS: 'false',
    HELIXMESH_DATA: join(folder, 'data'),
  };
  const here = { cwd: folder, env, timeout: INSTALL_TIMEOUT_MS };
  const packed = await run(process.execPath, [join(ROOT, 'scripts', 'pack.ts')], { ...here });
  const tarball = join(ROOT, packed.stdout.trim().split('\n').at(-1) ?? '');
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts'];
  await run('npm', ['install', ...quiet, '--prefix', folder, tarball], here);
  const helixmesh = join(folder, 'node_modules', '.bin', 'helixmesh');

  const { stdout: version } = await run(helixmesh, ['--version'], here);
  assert.match(version, /^\d+\.\d+\.\d+\n$/);
  const biofs = join(folder, 'node_modules', '.bin', 'biofs');
  assert.match((await run(biofs, ['--help'], here)).stdout, /^Usage: biofs /);
  await assert.rejects(run(biofs, ['--json', 'ls'], here), ({ stdout }: { stdout: string }) => {
    assert.equal(JSON.parse(stdout).error.code, 'UNAUTHENTICATED');
    return true;
  });

  const { stdout: doctor } = await run(helixmesh, ['doctor', '--json'], here);
  assert.ok(JSON.parse(doctor).tools.length > 5);

  const demo = await run(helixmesh, ['demo', '--small', '--json', '--quiet'], here);
  assert.equal(demo.stderr, '', 'a quiet demo says nothing on standard error');
  const { job, accuracy } = JSON.parse(demo.stdout);
  assert.equal(job.state, 'COMPLETE');
  assert.ok(accuracy.all.truePositivesTruth > 50);
  for (const suffix of ['.report.pdf', '.report.html', '.vcf.gz', '.bam']) {
    assert.ok(existsSync(join(job.outDir, `DEMO${suffix}`)), suffix);
  }
});

import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  BUILTIN_VERSION,
  compareVersions,
  EXTERNAL_TOOL_NAMES,
  installCommand,
  parseToolVersion,
} from './catalogue.ts';
import { probeSandbox, probeToolIn, probeTools, resolvedTools } from './probe.ts';

test('versions are found in what the tools print', () => {
  const printed = [
    ['fastp', 'fastp 0.23.2\n', '0.23.2'],
    ['bwa', '\nProgram: bwa (alignment)\nVersion: 0.7.17-r1188\nContact: x\n', '0.7.17-r1188'],
    ['minimap2', '2.24-r1122\n', '2.24-r1122'],
    ['samtools', 'samtools 1.16.1\nUsing htslib 1.16\n', '1.16.1'],
    ['tabix', 'tabix (htslib) 1.16\n', '1.16'],
    ['freebayes', 'version:  v1.3.6\n', '1.3.6'],
    ['snpeff', 'SnpEff\t5.1d\t2023-01-20 19:55\n', '5.1d'],
  ] as const;
  for (const [name, output, version] of printed) {
    assert.equal(parseToolVersion(name, output), version);
  }
  assert.equal(parseToolVersion('bwa', 'command not found'), null);
});

test('versions are ordered by their numbers', () => {
  assert.ok(compareVersions('1.9', '1.16') < 0);
  assert.ok(compareVersions('0.7.17-r1188', '0.7.17') === 0);
  assert.ok(compareVersions('5.1d', '5.1') === 0);
  assert.ok(compareVersions('2', '1.99.9') > 0);
});

test('one command installs several tools and names each package once', () => {
  assert.equal(installCommand(['fastp', 'tabix', 'bgzip']), 'sudo apt-get install -y fastp tabix');
});

test('a missing, an old and a broken tool are told apart, each with its remedy', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'helixmesh-tools-'));
  try {
    const tool = (name: string, script: string): void => {
      writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(folder, name), 0o755);
    };
    const env = { PATH: folder };
    const missing = await probeToolIn('fastp', env);
    assert.deepEqual([missing.status, missing.argv, missing.version], ['missing', null, null]);
    assert.equal(missing.install, 'sudo apt-get install -y fastp');
    tool('fastp', 'echo fastp 0.1.0 >&2');
    const old = await probeToolIn('fastp', env);
    assert.deepEqual([old.status, old.version], ['too_old', '0.1.0']);
    tool('fastp', 'exit 3');
    assert.equal((await probeToolIn('fastp', env)).status, 'broken');
    tool('fastp', 'echo fastp 99.1; exit 1');
    const good = await probeToolIn('fastp', env);
    assert.deepEqual([good.status, good.argv], ['ok', [join(folder, 'fastp')]]);

    tool('java', 'echo "$@" >&2; echo "SnpEff 5.2 x"');
    const jar = join(folder, 'my.jar');
    const noJar = await probeToolIn('snpeff', { ...env, HELIXMESH_SNPEFF_JAR: jar });
    assert.deepEqual([noJar.status, noJar.problem?.includes(jar)], ['missing', true]);
    writeFileSync(jar, '');
    const snpeff = await probeToolIn('snpeff', { ...env, HELIXMESH_SNPEFF_JAR: jar });
    assert.equal(snpeff.status, 'ok');
    assert.deepEqual(snpeff.argv?.slice(-2), ['-jar', jar]);
    assert.ok(snpeff.argv?.some((argument) => /^-Xmx\d+m$/.test(argument)));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the tools of this machine are reported in the order of the catalogue', async () => {
  const reports = await probeTools();
  assert.deepEqual(
    reports.map(({ name }) => name),
    EXTERNAL_TOOL_NAMES,
  );
  const again = await probeTools();
  for (const [i, report] of reports.entries()) assert.equal(again[i], report, 'asked once');
  const usable = reports.filter(({ status }) => status === 'ok');
  const tools = resolvedTools(reports);
  assert.deepEqual(
    Object.keys(tools).sort(),
    [...usable.map(({ name }) => name), 'helixmesh'].sort(),
  );
  assert.equal(tools.helixmesh?.version, BUILTIN_VERSION);
});

test('the sandbox either works or says why not', async () => {
  const report = await probeSandbox();
  assert.equal(report.available, report.problem === null);
});

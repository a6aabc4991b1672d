/** Folders that cannot take the results, and a tool that is not there: nothing is lost by it. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { completedSteps, readJournal, repeatedWork } from '../support/journal.ts';
import { waitFor } from '../support/wait-for.ts';
import { assertRefusal, visible, type Workbench, workbench } from './bench.ts';

const ROOT_ONLY = canMount() ? false : 'SKIPPED: only root may mount the disk that this test fills';

/** What is left for the node to write down that its disk is full. */
const ROOM_BYTES = 1_200_000;

const IN_USE_ELSEWHERE = { code: 'OUTPUT_IN_USE', says: /job_other/, advises: /delete/ } as const;

let bench: Workbench;

before(async () => {
  bench = await workbench();
});
after(async () => {
  await bench?.stop();
});

describe('an output folder', () => {
  test('below a file is refused', async () => {
    const out = join(await bench.write('file', ''), 'out');
    assertRefusal(await bench.run({ out }), {
      code: 'OUTPUT_UNWRITABLE',
      says: /file/,
      advises: /folder/,
    });
  });

  test('that is read-only is refused', { skip: ROOT_ONLY }, async (t) => {
    const out = await mount('read-only', 'ro,size=1m');
    t.after(() => unmount(out));
    await bench.refused(
      { out },
      { code: 'OUTPUT_UNWRITABLE', says: /read-only/, advises: /may write/ },
    );
  });

  test('on a full disk pauses the job; with room again the same command hands over', {
    skip: ROOT_ONLY,
  }, async (t) => {
    const out = await mount('small', 'size=256k');
    t.after(() => unmount(out));
    const flags = { sample: 'FULL', out };
    assertRefusal(await bench.run(flags), {
      code: 'DISK_FULL',
      says: /FULL is PAUSED/,
      advises: /[Ff]ree/,
    });
    assert.ok(!existsSync(join(out, 'ro-crate-metadata.json')));
    for (const name of visible(out)) {
      // Whole files are there under their names; a cut one never is.
      assert.ok(!name.endsWith('.bam'), `${name} does not fit and yet is there`);
    }
    const before = completedSteps(readJournal(bench.dataDir)).length;
    execFileSync('mount', ['-o', 'remount,size=64m', out]);
    const again = await bench.run(flags);
    assert.equal(again.code, 0, again.stderr);
    const rows = readJournal(bench.dataDir);
    assert.equal(completedSteps(rows).length, before, 'a step ran again');
    assert.deepEqual(repeatedWork(rows), []);
    assert.ok(visible(out).includes('FULL.bam'));
    execFileSync('samtools', ['quickcheck', join(out, 'FULL.bam')]);
  });

  test('that another job writes into is refused, and that job is not disturbed', async () => {
    const out = join(bench.folder, 'shared');
    const { r1, r2 } = bench.sample;
    const common = ['--reference', 'simulated', '--out', out];
    const first = ['submit', '--sample', 'FIRST', '--r1', r1, '--r2', r2, ...common];
    const submitted = await bench.cli(first);
    assert.equal(submitted.code, 0, submitted.stderr);
    await bench.refused(
      { sample: 'SECOND', out },
      { code: 'OUTPUT_IN_USE', says: /job_[0-9a-f]{16}/, advises: /--out/ },
    );
    const followed = await bench.run({ sample: 'FIRST', out });
    assert.equal(followed.code, 0, followed.stderr);
    assert.ok(visible(out).includes('FIRST.vcf.gz'));
    assert.ok(!visible(out).some((name) => name.startsWith('SECOND')));
  });

  test('that a job of another data folder holds is refused, and no job is left to write into it', async () => {
    const out = join(bench.folder, 'held');
    const claim = join(out, '.helixmesh-job.json');
    await mkdir(out);
    await writeFile(claim, JSON.stringify({ jobId: 'job_other', dataDir: '/elsewhere' }));
    await bench.refused({ sample: 'THIRD', out }, IN_USE_ELSEWHERE);
    await rm(claim);
    const { stdout } = await bench.cli(['--json', 'status']);
    assert.ok(!stdout.includes('THIRD'), 'the job would start with the next look at the outbox');
  });
});

describe('the data folder', () => {
  test('on a disk that fills up ends the run in words; with room again the same command completes it', {
    skip: ROOT_ONLY,
  }, async (t) => {
    const data = await mount('small-data', 'size=256m');
    const full = await workbench({ daemon: false, dataDir: join(data, 'data') });
    t.after(async () => {
      await full.stop();
      unmount(data);
    });
    const ballast = join(data, 'ballast');
    const running = full.run();
    await waitFor(
      () => textOf(join(full.dataDir, 'node.log'))?.match(/"task":"align"/) ?? undefined,
      {
        deadline: 60_000,
        what: 'the alignment has begun',
      },
    );
    const { bavail, bsize } = statfsSync(data);
    await writeFile(ballast, Buffer.alloc(bavail * bsize - ROOM_BYTES));
    const failed = await running;
    assert.match(failed.stderr, /code DISK_FULL\n$/);
    assert.equal(failed.code, 75);
    assert.deepEqual(visible(full.outDir), []);
    const refused = await full.run();
    assert.equal(refused.code, 75, 'it does not start without room');
    await rm(ballast);
    const again = await full.run();
    assert.equal(again.code, 0, again.stderr);
    assert.deepEqual(repeatedWork(readJournal(full.dataDir)), []);
  });
});

describe('a tool', () => {
  test('that is missing is told with the command that brings it; then the same command goes on', async (t) => {
    const bin = join(bench.folder, 'bin');
    await linkTools(bin, 'freebayes');
    const lacking = await workbench({ env: { PATH: bin } });
    t.after(() => lacking.stop());
    const flags = { caller: 'freebayes' };
    await lacking.refused(flags, {
      code: 'TOOL_MISSING',
      says: /freebayes/,
      advises: /apt-get install .*freebayes/,
    });
    const finished = completedSteps(readJournal(lacking.dataDir));
    assert.deepEqual(finished, ['align', 'intake']);
    await symlink(which('freebayes'), join(bin, 'freebayes'));
    const again = await lacking.run(flags);
    assert.equal(again.code, 0, again.stderr);
    const steps = completedSteps(readJournal(lacking.dataDir));
    assert.equal(steps.filter((step) => step === 'align').length, 1, 'the alignment ran again');
  });
});

function textOf(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

function which(tool: string): string {
  return execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim();
}

/** A folder with links to every program of PATH but one. */
async function linkTools(folder: string, without: string): Promise<void> {
  await mkdir(folder);
  const seen = new Set([without]);
  for (const from of (process.env['PATH'] ?? '').split(delimiter)) {
    if (!existsSync(from)) continue;
    for (const name of await readdir(from)) {
      if (seen.has(name)) continue;
      seen.add(name);
      await symlink(join(from, name), join(folder, name));
    }
  }
}

async function mount(name: string, options: string): Promise<string> {
  const folder = join(bench.folder, name);
  await mkdir(folder);
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]);
  return folder;
}

function unmount(folder: string): void {
  execFileSync('umount', ['-l', folder]);
}

/** Root of a container may be forbidden to. */
function canMount(): boolean {
  if (process.getuid?.() !== 0) return false;
  const { status } = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']);
  return status === 0;
}

/**
 * Takes each guard of `guards.ts` out of a copy of the repository, one at a time, and runs the test
 * that is named for it: before, it has to pass, and without the guard it has to fail.
 *
 *   bash scripts/node.sh test/lies/remove-guards.ts [WORD…]
 *
 * A word chooses the lies that hold it.
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { LIES } from './guards.ts';
import type { Guard, Lie } from './lie.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** What a test may need; not the documents, nor the benchmarks. */
const COPIED = /^(packages|apps|test)\/|^[^/]+$/;
/** A test that no longer ends has failed too. */
const TEST_MS_MAX = 300_000;
const words = process.argv.slice(2);

const chosen = LIES.filter(({ lie }) => words.length === 0 || words.some((w) => lie.includes(w)));
const copy = copyRepository();
try {
  const toothless = chosen.filter(isToothless);
  if (toothless.length > 0) process.exitCode = 1;
} finally {
  rmSync(copy, { recursive: true, force: true });
}

/** True when the test does not pass, or passes without its guard. */
function isToothless({ lie, guards, test }: Lie): boolean {
  const isPassing = passes(test);
  const areThere = guards.map(takeOut).every(Boolean);
  const isNoticed = areThere && !passes(test);
  for (const { path } of guards) cpSync(join(ROOT, path), join(copy, path));
  const verdict = isPassing ? (isNoticed ? 'noticed' : 'NOT NOTICED') : 'FAILS AS IT IS';
  console.log(`${verdict.padEnd(14)} ${lie}`);
  return !isPassing || !isNoticed;
}

/** False when it is not there. */
function takeOut({ path, code, without }: Guard): boolean {
  const text = readFileSync(join(copy, path), 'utf8');
  writeFileSync(
    join(copy, path),
    text.replace(code, () => without),
  );
  return text.includes(code);
}

/** False also when no test has run, or one was skipped. */
function passes({ path, name }: Lie['test']): boolean {
  const pattern = `^${name.split(/\$\w+/).map(escaped).join('.*')}$`;
  const node = join(copy, 'node_modules/.bin/node');
  const args = ['--conditions=development', '--test', '--test-reporter=tap'];
  const { status, stdout } = spawnSync(
    node,
    [...args, `--test-name-pattern=/${pattern}/`, join(copy, path)],
    { cwd: ROOT, timeout: TEST_MS_MAX, killSignal: 'SIGKILL', encoding: 'utf8' },
  );
  const count = (what: string) => Number(new RegExp(`^# ${what} (\\d+)$`, 'm').exec(stdout)?.[1]);
  return status === 0 && count('pass') > 0 && count('skipped') === 0;
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

/** What git knows and does not ignore, with packages that lead into the copy. */
function copyRepository(): string {
  const folder = mkdtempSync(join(tmpdir(), 'helixmesh-lies-'));
  const listed = spawnSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const names = listed.stdout.split('\0').filter((name) => COPIED.test(name));
  for (const name of names) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    cpSync(join(ROOT, name), join(folder, name));
  }
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '@helixmesh'), { recursive: true });
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (name !== '@helixmesh') symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
  for (const name of readdirSync(join(folder, 'packages'))) {
    symlinkSync(join(folder, 'packages', name), join(modules, '@helixmesh', name));
  }
  return folder;
}

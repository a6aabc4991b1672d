/** Limits of size, and what may not stand in the code. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isProduct, isTest, type SourceFile, sources } from './repository.ts';

const FILE_LINES_MAX = 400;
const FILE_LINES_AIM = 200;
const ADR_LINES_MAX = 80;

const modules = sources('.ts');

interface Ban {
  readonly what: string;
  readonly pattern: RegExp;
  /** Where the ban holds. */
  readonly where: (file: SourceFile) => boolean;
}

/** Modules that must answer the same for the same input, whenever and wherever they run. */
function isPure({ path }: SourceFile): boolean {
  if (isCore(path)) return true;
  return /^packages\/(protocol|pipelines)\/src\/(germline|canonical|report|formats|simulate|evaluate|workflow|crypt4gh|objects|signing|network)\//.test(
    path,
  );
}

/** Level 2: functions of their arguments and ports; what reads and writes is in adapters alone. */
function isCore(path: string): boolean {
  return /^packages\/(scheduler|vault)\/src\/(?!adapters\/)/.test(path);
}

const BANS: readonly Ban[] = [
  { what: 'console', pattern: /\bconsole\.\w+\(/, where: isProduct },
  { what: 'a bare Error', pattern: /\bnew (Type|Range)?Error\(/, where: isProduct },
  { what: 'an enum', pattern: /^\s*(export\s+)?(const\s+)?enum\s+\w/m, where: () => true },
  { what: 'a namespace', pattern: /^\s*(export\s+)?namespace\s+\w/m, where: () => true },
  {
    what: 'the clock',
    pattern: /\bDate\.now\(|\bnew Date\(\)/,
    where: (f) => isProduct(f) && isPure(f),
  },
  {
    what: 'input or output in a core of level 2',
    pattern: /from 'node:|\bfetch\(|\bprocess\.|\bset(Timeout|Interval|Immediate)\(/,
    where: (f) => isProduct(f) && isCore(f.path),
  },
  { what: 'chance', pattern: /\bMath\.random\(/, where: isProduct },
  {
    what: 'a TODO without an owner',
    pattern: /\b(TODO|FIXME|XXX)\b(?!\([\w-]+\))/,
    where: () => true,
  },
  {
    what: 'a test that runs alone',
    pattern: /\b(test|it|describe)\.only\(/,
    where: (f) => isTest(f.path),
  },
  { what: 'a module mock', pattern: /\bmock\.module\(/, where: () => true },
  { what: 'a path of one machine', pattern: /['"`]\/(work|home\/\w+)\//, where: () => true },
];

for (const { what, pattern, where } of BANS) {
  test(`no module holds ${what}`, () => {
    const found = modules
      .filter((file) => !file.path.startsWith('test/tidy/') && where(file))
      .flatMap(({ path, text }) => {
        const match = pattern.exec(text);
        if (match === null) return [];
        return [`${path}:${text.slice(0, match.index + 1).split('\n').length} ${match[0].trim()}`];
      });
    assert.deepEqual(found, []);
  });
}

test(`no module is longer than ${FILE_LINES_MAX} lines`, (t) => {
  const long = modules
    .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
    .sort((a, b) => b.lines - a.lines);
  const aim = long.filter(({ path, lines }) => lines > FILE_LINES_AIM && !isTest(path));
  t.diagnostic(`${aim.length} modules of more than ${FILE_LINES_AIM} lines`);
  assert.deepEqual(
    long.filter(({ lines }) => lines > FILE_LINES_MAX),
    [],
  );
});

test('modules have names in kebab-case', () => {
  const bad = modules.filter(
    ({ path }) => !/^[a-z0-9-]+(\.[a-z]+)*\.ts$/.test(path.split('/').at(-1) ?? ''),
  );
  assert.deepEqual(
    bad.map(({ path }) => path),
    [],
  );
});

test('product modules begin with a comment that says what they are, or are one export away from it', () => {
  const silent = modules
    .filter((file) => isProduct(file) && !/(^|\/)(index|limits)\.ts$/.test(file.path))
    .filter(({ path }) => !path.startsWith('apps/cli/src/commands/'))
    .filter(({ text }) => !/^(#!.*\n)?\/\*\*/.test(text));
  assert.deepEqual(
    silent.map(({ path }) => path),
    [],
  );
});

test(`a decision record has at most ${ADR_LINES_MAX} lines`, () => {
  const long = sources('.md')
    .filter(({ path }) => path.startsWith('docs/adr/'))
    .filter(({ text }) => text.split('\n').length - 1 > ADR_LINES_MAX);
  assert.deepEqual(
    long.map(({ path }) => path),
    [],
  );
});

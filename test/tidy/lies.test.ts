/** The page of lies, their guards and their tests say the same. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LIES } from '../lies/guards.ts';
import { tableOf } from '../lies/lie.ts';
import { ROOT } from './repository.ts';

const textOf = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** What stands between the placeholders of a name. */
function words(name: string, placeholder: RegExp): string {
  return name.split(placeholder).join('…');
}

test('each lie has a test of that name', () => {
  for (const { lie, test: shown } of LIES) {
    const names = [...textOf(shown.path).matchAll(/\btest\(\s*(['"`])(.*?)\1,/g)].map(
      ([, , name]) => words(name ?? '', /\$\{(?:[^{}]|\{[^}]*\})*\}/),
    );
    const wanted = words(shown.name, /\$\w+/);
    assert.equal(names.filter((name) => name === wanted).length, 1, `${lie}: ${shown.name}`);
  }
});

test('each guard stands in its module, once', () => {
  for (const { lie, guards } of LIES) {
    for (const { path, code } of guards) {
      assert.equal(textOf(path).split(code).length, 2, `${lie}: ${code} in ${path}`);
    }
  }
});

test('the page names each lie, its guard and its test', () => {
  const page = textOf('docs/concepts/threats.md');
  assert.equal(new Set(LIES.map(({ lie }) => lie)).size, LIES.length);
  assert.ok(page.includes(tableOf(LIES)), `the table is to be:\n${tableOf(LIES)}`);
});

/** What the documents name is there. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { ROOT, sources } from './repository.ts';

const documents = sources('.md').filter(({ path }) => !path.includes('/testing/'));

/** Folders whose paths, written as code, must exist. */
const CODE_PATH = /^(\.\/)?(packages|apps|docs|scripts|test|benchmarks|\.ci)\/[\w./-]*$/;

function withoutBlocks(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```/gm, '');
}

test('links in documents lead somewhere', () => {
  const dead = documents.flatMap(({ path, text }) =>
    [...withoutBlocks(text).matchAll(/\]\(([^)\s]+)\)/g)]
      .map((match) => (match[1] ?? '').split('#')[0] ?? '')
      .filter((target) => target !== '' && !/^[a-z]+:/.test(target))
      .filter((target) => !existsSync(join(ROOT, dirname(path), target)))
      .map((target) => `${path} → ${target}`),
  );
  assert.deepEqual(dead, []);
});

test('paths written as code exist', () => {
  const dead = documents.flatMap(({ path, text }) =>
    [...withoutBlocks(text).matchAll(/`([^`\n]+)`/g)]
      .map((match) => match[1] ?? '')
      .filter((code) => CODE_PATH.test(code))
      .filter((code) => !existsSync(join(ROOT, code)))
      .map((code) => `${path} → ${code}`),
  );
  assert.deepEqual(dead, []);
});

test('make targets that documents name exist', () => {
  const makefile = readFileSync(join(ROOT, 'Makefile'), 'utf8');
  const dead = documents.flatMap(({ path, text }) =>
    [...text.matchAll(/(?:`|^ *)make ([a-z][a-z-]*)/gm)]
      .map((match) => match[1] ?? '')
      .filter((target) => !new RegExp(`^${target}:`, 'm').test(makefile))
      .map((target) => `${path} → make ${target}`),
  );
  assert.deepEqual(dead, []);
});

/** Code that is generated is what `npm run generate` would write now. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ROOT } from './repository.ts';

const GENERATED = join(ROOT, 'packages', 'protocol', 'src', 'gen');

/** Text of each file below a folder, by its path in it. */
function filesBelow(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  return Object.fromEntries(
    paths.sort().map((path) => [path, readFileSync(join(folder, path), 'utf8')]),
  );
}

function hasProtoc(): boolean {
  try {
    execFileSync('protoc', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    // It is no dependency of the product.
    return false;
  }
}

test('generated code is that of the present .proto files', (t: TestContext) => {
  if (!hasProtoc()) {
    t.skip('NOT CHECKED: protoc is missing (apt-get install protobuf-compiler)');
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'hm-generated-'));
  t.after(() => rmSync(folder, { recursive: true }));
  execFileSync('bash', [join(ROOT, 'scripts', 'generate.sh'), folder], { stdio: 'pipe' });
  const now = filesBelow(GENERATED);
  assert.ok(Object.keys(now).length > 0, 'there is no generated code');
  const fresh = filesBelow(folder);
  assert.deepEqual(Object.keys(now), Object.keys(fresh));
  const old = Object.keys(now).filter((path) => now[path] !== fresh[path]);
  assert.deepEqual(old, [], 'run `npm run generate`');
});

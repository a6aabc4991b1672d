/**
 * Reporter of `node --test`: failures in full, skipped tests by name and reason, the slowest files,
 * and one last line `N passed, N failed, N skipped (S s)` that scripts and CI read.
 */
import { relative } from 'node:path';
import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';

const SLOWEST_FILES = 5;

type Failure = Extract<TestEvent, { type: 'test:fail' }>['data'];

// biome-ignore lint/style/noDefaultExport: node --test loads a reporter by its default export.
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const startedMs = Date.now();
  const msByFile = new Map<string, number>();
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  for await (const event of events) {
    if (event.type === 'test:diagnostic' && event.data.nesting > 0) continue;
    if (event.type === 'test:stderr') yield event.data.message;
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue;
    const { data } = event;
    if (data.details.type === 'suite') continue;
    const file = data.file === undefined ? '' : relative(process.cwd(), data.file);
    if (data.nesting === 0) {
      msByFile.set(file, (msByFile.get(file) ?? 0) + data.details.duration_ms);
    }
    if (event.type === 'test:fail' && data.todo === undefined) {
      failed++;
      yield describe(event.data, file);
    } else if (data.skip !== undefined) {
      skipped++;
      yield `skipped: ${data.name}${typeof data.skip === 'string' ? `: ${data.skip}` : ''}\n`;
    } else {
      passed++;
    }
  }
  const slowest = [...msByFile].sort((a, b) => b[1] - a[1]).slice(0, SLOWEST_FILES);
  for (const [file, ms] of slowest) {
    if (ms >= 1000) yield `  ${(ms / 1000).toFixed(1).padStart(6)} s  ${file}\n`;
  }
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
  yield `${passed} passed, ${failed} failed, ${skipped} skipped (${seconds} s)\n`;
}

function describe(data: Failure, file: string): string {
  const { error } = data.details;
  const cause = error.cause instanceof Error ? error.cause : error;
  const text = inspect(cause, { depth: 4 }).replaceAll(/^/gm, '    ');
  return `\n✖ ${data.name}\n    ${file}:${data.line ?? 0}\n${text}\n\n`;
}

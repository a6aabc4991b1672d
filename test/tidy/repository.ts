/** The repository as the layout rules see it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');

const SKIPPED_FOLDERS = ['node_modules', 'dist', 'gen', '.git', 'helixmesh-demo', '.helixmesh'];

export interface SourceFile {
  /** Relative to the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** Files below the root whose path ends in one of `endings`, in order of path. */
export function sources(...endings: readonly string[]): SourceFile[] {
  return walk(ROOT)
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

function walk(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) {
      return SKIPPED_FOLDERS.includes(entry.name) ? [] : walk(join(folder, entry.name));
    }
    return entry.isFile() ? [relative(ROOT, join(folder, entry.name))] : [];
  });
}

/** Code that ships: no tests, no fixtures, no tooling. */
export function isProduct({ path }: SourceFile): boolean {
  return /^(packages|apps)\//.test(path) && !path.includes('/testing/') && !isTest(path);
}

export function isTest(path: string): boolean {
  return /\.(test|soak)\.ts$/.test(path) || path.startsWith('test/');
}

export interface Import {
  readonly specifier: string;
  readonly line: number;
}

/** What a module imports or exports from, dynamic imports of a literal included. */
export function importsOf({ text }: SourceFile): Import[] {
  const pattern = /\b(?:from|import)\s*\(?\s*'([^'\n]+)'/g;
  return [...text.matchAll(pattern)].map((match) => ({
    specifier: match[1] ?? '',
    line: text.slice(0, match.index).split('\n').length,
  }));
}

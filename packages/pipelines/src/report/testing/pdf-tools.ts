/** Reads a rendered PDF back with poppler: its text, its words with their places, its pages. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '@helixmesh/protocol';

/** In points from the upper left corner of the page. */
export interface PlacedWord {
  readonly text: string;
  /** From 1. */
  readonly page: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** The text of each page, in reading order. */
export function pageTexts(pdf: Uint8Array): readonly string[] {
  const text = withFile(pdf, (path) => poppler('pdftotext', ['-layout', path, '-']));
  return text.split('\f').slice(0, -1);
}

export function placedWords(pdf: Uint8Array): readonly PlacedWord[] {
  const xml = withFile(pdf, (path) => poppler('pdftotext', ['-bbox', path, '-']));
  const words: PlacedWord[] = [];
  let page = 0;
  for (const line of xml.split('\n')) {
    if (line.includes('<page ')) page += 1;
    const match =
      /<word xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">(.*)<\/word>/.exec(
        line,
      );
    if (match === null) continue;
    const [left = 0, top = 0, right = 0, bottom = 0] = match.slice(1, 5).map(Number);
    words.push({ text: match[5] ?? '', page, left, right, top, bottom });
  }
  return words;
}

/** Each page as the bytes of a PNG. */
export function pageImages(pdf: Uint8Array, dotsPerInch: number): readonly Buffer[] {
  return withFile(pdf, (path, folder) => {
    poppler('pdftoppm', ['-r', String(dotsPerInch), '-png', path, join(folder, 'page')]);
    const names = readdirSync(folder).filter((name) => name.endsWith('.png'));
    return names.sort().map((name) => readFileSync(join(folder, name)));
  });
}

function withFile<T>(pdf: Uint8Array, use: (path: string, folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'helixmesh-report-'));
  try {
    const path = join(folder, 'report.pdf');
    writeFileSync(path, pdf);
    return use(path, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function poppler(program: string, args: readonly string[]): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 });
  } catch (cause) {
    if ((cause as { code?: string }).code !== 'ENOENT') throw cause;
    throw new AppError('TOOL_MISSING', `${program} is not installed`, {
      hint: 'Install it: sudo apt-get install -y poppler-utils',
      cause,
    });
  }
}

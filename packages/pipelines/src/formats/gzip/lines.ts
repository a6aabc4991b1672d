/** Text lines of plain and compressed files. */
import { basename } from 'node:path';
import { AppError } from '@helixmesh/protocol';
import { LINE_BYTES_MAX } from '../limits.ts';
import { type ReadOptions, readDecompressed } from './bgzf.ts';

/** The lines of a file without their ends (LF or CRLF), of any compression. */
export async function* readLines(path: string, options: ReadOptions = {}): AsyncGenerator<string> {
  for await (const lines of readLineBatches(path, options)) yield* lines;
}

/** The lines of a file, as many at once as a chunk holds: much faster than one by one. */
export async function* readLineBatches(
  path: string,
  options: ReadOptions = {},
): AsyncGenerator<string[]> {
  let carry: Buffer[] = [];
  let carryBytes = 0;
  for await (const chunk of readDecompressed(path, options)) {
    const end = chunk.lastIndexOf(10);
    if (end < 0) {
      carry.push(chunk);
      carryBytes += chunk.length;
      if (carryBytes > LINE_BYTES_MAX) throw lineTooLong(path);
      continue;
    }
    const head = chunk.subarray(0, end);
    const text = (carryBytes === 0 ? head : Buffer.concat([...carry, head])).toString('utf8');
    const rest = chunk.subarray(end + 1);
    carry = rest.length > 0 ? [rest] : [];
    carryBytes = rest.length;
    yield splitLines(text);
  }
  if (carryBytes > 0) yield splitLines(Buffer.concat(carry).toString('utf8'));
}

function splitLines(text: string): string[] {
  const lines = text.split('\n');
  if (!text.includes('\r')) return lines;
  return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
}

function lineTooLong(path: string): AppError {
  return new AppError(
    'INPUT_MALFORMED',
    `${basename(path)} has a line of more than ${LINE_BYTES_MAX} bytes`,
    { hint: 'Check that this is a text file of the format asked for.' },
  );
}

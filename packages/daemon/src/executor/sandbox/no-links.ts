/**
 * A builtin works with the rights of the daemon in the folder that tools have written. Through a
 * link that a tool has put there it would read or write outside, so there must be none.
 */
import { opendir, readlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { AppError } from '@helixmesh/protocol';
import { SCRATCH_ENTRIES_MAX } from '../limits.ts';

/** `links`: relative name → target of the links that belong there. Throws TOOL_FAILED. */
export async function requireNoLinks(
  work: string,
  links: ReadonlyMap<string, string>,
): Promise<void> {
  const queue = [work];
  let entries = 0;
  for (let folder = queue.pop(); folder !== undefined; folder = queue.pop()) {
    for await (const entry of await opendir(folder)) {
      if (++entries > SCRATCH_ENTRIES_MAX) throw refused('too many files');
      const path = join(folder, entry.name);
      if (entry.isFile()) continue;
      if (entry.isDirectory()) queue.push(path);
      else if (!entry.isSymbolicLink()) throw refused('what is neither a file nor a folder');
      else if ((await readlink(path)) !== (links.get(relative(work, path)) ?? null)) {
        throw refused('a link');
      }
    }
  }
}

function refused(what: string): AppError {
  return new AppError('TOOL_FAILED', `a tool left ${what} in its folder`, {
    hint: 'Check that the tools are what they should be: `helixmesh doctor`.',
  });
}

/** Writes the reference pages of the command lines anew; run by `make docs`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cliReference, references } from './cli-reference.ts';

const folder = join(import.meta.dirname, '..', '..', '..', 'docs', 'reference');
mkdirSync(folder, { recursive: true });
for (const reference of references()) {
  writeFileSync(join(folder, reference.page), cliReference(reference));
}

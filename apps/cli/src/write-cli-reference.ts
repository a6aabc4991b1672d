/** Writes docs/reference/cli.md anew; run by `make docs`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cliReference } from './cli-reference.ts';

const target = join(import.meta.dirname, '..', '..', '..', 'docs', 'reference', 'cli.md');
mkdirSync(dirname(target), { recursive: true });
writeFileSync(target, cliReference());

/** Where real test data lies: the environment first, then `shared/data` beside the repository. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const TEST_DATA_VARIABLE = 'HELIXMESH_TEST_DATA';

/** Absolute folder of a data set such as `na12878_chr22_tiny`, or null when it is absent. */
export function realData(set: string): string | null {
  const root = process.env[TEST_DATA_VARIABLE];
  if (root !== undefined && root !== '') {
    const folder = join(root, set);
    return existsSync(folder) ? folder : null;
  }
  for (let at = import.meta.dirname; ; at = dirname(at)) {
    const folder = join(at, 'shared', 'data', set);
    if (existsSync(folder)) return folder;
    if (dirname(at) === at) return null;
  }
}

/** The words with which a test that needs an absent set is skipped. */
export function skipReason(set: string): string {
  return `SKIPPED: ../shared/data/${set} is absent`;
}

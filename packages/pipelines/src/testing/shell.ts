/** Command lines of bash, for tests and benchmarks that compare with plain tools. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const OUTPUT_BYTES_MAX = 64 << 20;

/**
 * Runs a command line in `folder` and answers its standard output; rejects with its standard error
 * when any stage fails. `env` is added to the environment, so that file names need no quoting.
 */
export async function shell(
  folder: string,
  command: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { stdout } = await execute('bash', ['-o', 'pipefail', '-ec', command], {
    cwd: folder,
    env: { ...process.env, ...env },
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  return stdout;
}

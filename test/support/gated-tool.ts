/**
 * A tool that starts its work when the test says so. The wrapper stands before the real one in PATH
 * and tells its version at once; a run of it waits for a file.
 */
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface GatedTool {
  /** Environment of the daemon. */
  readonly env: Readonly<Record<string, string>>;
  open(): Promise<void>;
  close(): Promise<void>;
}

/** `only` is a word that must stand in the arguments, else the tool does not wait. */
export async function gatedTool(folder: string, tool: string, only = ''): Promise<GatedTool> {
  const gate = join(folder, `${tool}-may-run`);
  const wait = `while [ ! -e '${gate}' ]; do sleep 0.05; done`;
  const env = await wrapTool(folder, { tool, only, before: wait });
  return {
    env,
    open: () => writeFile(gate, ''),
    close: () => rm(gate, { force: true }),
  };
}

/** A tool that does `before` (shell) first when it works; answers the daemon's environment. */
export async function wrapTool(
  folder: string,
  { tool, only, before }: { tool: string; only: string; before: string },
): Promise<Readonly<Record<string, string>>> {
  const bin = join(folder, 'bin');
  await mkdir(bin, { recursive: true });
  const real = execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim();
  const script = [
    '#!/bin/sh',
    `case "$*" in *--version*) ;; *'${only}'*) ${before} ;; esac`,
    `exec '${real}' "$@"`,
  ];
  await writeFile(join(bin, tool), `${script.join('\n')}\n`);
  await chmod(join(bin, tool), 0o755);
  return { PATH: `${bin}:${process.env['PATH']}` };
}

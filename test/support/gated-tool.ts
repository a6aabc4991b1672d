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

/** `when` is a shell condition in the tool's working folder, without which it does not wait. */
export async function gatedTool(folder: string, tool: string, when = 'true'): Promise<GatedTool> {
  // Beside the tool: what a sandbox shows of its folder is where it is installed.
  const gate = join(folder, 'bin', `${tool}-may-run`);
  const wait = `while [ ! -e '${gate}' ]; do sleep 0.05; done`;
  const env = await wrapTool(folder, { tool, when, before: wait });
  return {
    env,
    open: () => writeFile(gate, ''),
    close: () => rm(gate, { force: true }),
  };
}

/** A tool that does `before` (shell) first, `when` it works; answers the daemon's environment. */
export async function wrapTool(
  folder: string,
  { tool, when, before }: { tool: string; when: string; before: string },
): Promise<Readonly<Record<string, string>>> {
  const bin = join(folder, 'bin');
  await mkdir(bin, { recursive: true });
  const real = execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim();
  const script = [
    '#!/bin/sh',
    `case "$*" in *--version*) ;; *) if ${when}; then ${before}; fi ;; esac`,
    `exec '${real}' "$@"`,
  ];
  await writeFile(join(bin, tool), `${script.join('\n')}\n`);
  await chmod(join(bin, tool), 0o755);
  return { PATH: `${bin}:${process.env['PATH']}` };
}

/** Long enough to be seen and killed; on a small sample many tools take a few milliseconds. */
const LINGER_SECONDS = 0.25;

/** The tools that every later step of the analysis uses, each of which takes its time to begin. */
export async function lingeringTools(folder: string): Promise<Readonly<Record<string, string>>> {
  const before = `sleep ${LINGER_SECONDS}`;
  await wrapTool(folder, { tool: 'samtools', when: 'true', before });
  return wrapTool(folder, { tool: 'bcftools', when: 'true', before });
}

/** Condition: the caller's shard is of this contig. */
export function isShardOf(contig: string): string {
  return `grep -qsw '${contig}' padded.bed`;
}

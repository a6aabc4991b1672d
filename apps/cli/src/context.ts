/** What every command gets: the global options, merged and validated once. */
import {
  type LoadedConfig,
  loadConfig,
  type NodePaths,
  nodePaths,
} from '@helixmesh/daemon/data-folder';
import type { Command } from 'commander';

export interface GlobalOptions {
  readonly data?: string;
  readonly config?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly color?: boolean;
}

export interface Context {
  readonly loaded: LoadedConfig;
  readonly paths: NodePaths;
  /** Machine-readable answer on standard output. */
  readonly json: boolean;
  /** No progress on standard error. */
  readonly quiet: boolean;
}

/** `flags` are settings that the command itself offers. */
export function contextOf(command: Command, flags: Record<string, unknown> = {}): Context {
  const options = command.optsWithGlobals<GlobalOptions>();
  const loaded = loadConfig({
    file: options.config,
    env: process.env,
    flags: { dataDir: options.data, ...flags },
  });
  return {
    loaded,
    paths: nodePaths(loaded.config.dataDir),
    json: options.json ?? false,
    quiet: options.quiet ?? false,
  };
}

/** The one way in which a command answers: JSON for machines, text for people. */
export function answer(context: Context, value: unknown, text: string): void {
  process.stdout.write(context.json ? `${JSON.stringify(value, null, 2)}\n` : ensureNewline(text));
}

function ensureNewline(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

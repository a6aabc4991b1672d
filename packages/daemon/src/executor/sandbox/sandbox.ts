/**
 * What contains the tools of one group of commands: bubblewrap around each command and a cgroup
 * around all, each where it works. Without them the tools run as ordinary processes.
 */
import { dirname } from 'node:path';
import { probeSandbox, type ToolName } from '@helixmesh/pipelines';
import type { AttemptRequest } from '../outcome.ts';
import type { AttemptFolders, Containment } from '../run-command.ts';
import { bubblewrapArguments, filterFor } from './bubblewrap.ts';
import { type Cgroup, openCgroup } from './cgroup.ts';
import { limitsOfTask, type TaskLimits } from './limits-of-task.ts';
import { watchUsage } from './usage.ts';
import { type VisibleTool, visibleTool } from './visible-tools.ts';

/** The inputs of an attempt as they were put into its working folder. */
export interface PlacedInputs {
  /** Relative name → real path of the file that it links to. */
  readonly links: ReadonlyMap<string, string>;
  readonly sizeBytes: number;
}

/** Which limit the tools have met. */
export type Refused = 'memory' | 'processes' | 'scratch';

export interface Sandbox extends Containment, AsyncDisposable {
  readonly limits: TaskLimits;
  /** How a tool is started inside; empty when it is not here. */
  argvOf(tool: ToolName): readonly string[];
  /** Aborted when the tools have used too much. */
  readonly signal: AbortSignal;
  refused(): Refused | null;
}

/** Disposing of it ends whatever its tools have left. */
export async function openSandbox(
  request: AttemptRequest,
  { folders, inputs }: { readonly folders: AttemptFolders; readonly inputs: PlacedInputs },
): Promise<Sandbox> {
  const { spec, threads: cores, limitsFactor: factor = 1 } = request;
  const granted = { cores, factor, inputBytes: inputs.sizeBytes };
  const limits = { ...limitsOfTask(spec.resources, granted), ...request.limits };
  const bubblewrap = await bubblewrapFor(request);
  const filter = bubblewrap === null ? null : filterFor(bubblewrap);
  const hidden = [dirname(folders.root), dirname(dirname(folders.root))];
  const tools = visibleTools(request, hidden);
  const cgroup = openCgroup(folders.root, limits);
  const watch = watchUsage([folders.work, folders.tmp], { ...limits, cgroup });
  // What has left its process group holds the pipes of the command open.
  watch.signal.addEventListener('abort', () => void cgroup?.close(), { once: true });
  const readable = [...inputs.links.values(), ...tools.values().flatMap((tool) => tool.readable)];
  const { work, tmp } = folders;
  return {
    limits,
    argvOf: (tool) =>
      (bubblewrap === null ? request.tools[tool]?.argv : tools.get(tool)?.argv) ?? [],
    filter,
    wrap: ({ script, filterFd }) => [
      ...(cgroup?.joinCommand ?? []),
      ...(bubblewrap === null
        ? []
        : bubblewrapArguments(bubblewrap, {
            work,
            tmp,
            readable: [...readable, script],
            hidden,
            filterFd: filter === null ? null : filterFd,
          })),
    ],
    signal: watch.signal,
    refused: () => watch.excess() ?? refusedBy(cgroup),
    [Symbol.asyncDispose]: async () => {
      watch.stop();
      await cgroup?.close();
    },
  };
}

/** Absolute path of bubblewrap when it is to be used, else null. */
async function bubblewrapFor({ isolation }: AttemptRequest): Promise<string | null> {
  if (isolation === 'process_group') return null;
  const { available, path } = await probeSandbox();
  if (isolation === 'bubblewrap') return path ?? 'bwrap';
  return available ? path : null;
}

function visibleTools(
  { spec, tools }: AttemptRequest,
  hidden: readonly string[],
): ReadonlyMap<ToolName, VisibleTool> {
  const used = spec.commands.flatMap((command) =>
    command.kind === 'tools' ? command.stages.map(({ tool }) => tool) : [],
  );
  return new Map(
    [...new Set(used)].map((name) => [name, visibleTool(tools[name]?.argv ?? [], hidden)]),
  );
}

function refusedBy(cgroup: Cgroup | null): Refused | null {
  if (cgroup === null) return null;
  const { oomKills, forksRefused } = cgroup.events();
  if (oomKills > 0) return 'memory';
  return forksRefused > 0 ? 'processes' : null;
}

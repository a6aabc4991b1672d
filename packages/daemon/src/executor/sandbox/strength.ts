/** How well this machine contains a tool, for people, for `doctor` and for whoever chooses a node. */
import { probeSandbox } from '@helixmesh/pipelines';
import { filterFor } from './bubblewrap.ts';
import { probeCgroups } from './cgroup.ts';

/**
 * `strong`: bubblewrap, cgroups and a filter of system calls. `weak`: bubblewrap, but a tool may use
 * up memory, processes and processor time, or call all of the kernel. `none`: a tool may do what its
 * user may.
 */
export type SandboxStrength = 'strong' | 'weak' | 'none';

export interface SandboxStrengthReport {
  readonly strength: SandboxStrength;
  /** What is lacking, in words; null when it is strong. */
  readonly problem: string | null;
  /** The command that brings it; null when it is strong. */
  readonly mend: string | null;
  readonly cgroupVersion: 1 | 2 | null;
  /** Whether system calls are filtered. */
  readonly isFiltered: boolean;
}

/** One part of the sandbox: whether it works, else why not and what brings it. */
export interface Part {
  readonly works: boolean;
  readonly problem: string | null;
  readonly mend: string | null;
}

export async function probeStrength(): Promise<SandboxStrengthReport> {
  const { available, path, problem, install } = await probeSandbox();
  const cgroups = probeCgroups();
  const isFiltered = available && path !== null && filterFor(path) !== null;
  const report = strengthOf({
    bubblewrap: { works: available, problem, mend: install },
    cgroups: { works: cgroups.parents !== null, problem: cgroups.problem, mend: cgroups.mend },
    filter: { works: isFiltered, problem: NO_FILTER, mend: MEND_FILTER },
  });
  return { ...report, cgroupVersion: cgroups.parents?.version ?? null, isFiltered };
}

const NO_FILTER = 'system calls cannot be filtered here';
const MEND_FILTER = 'run the node on Linux for x86-64 or 64-bit Arm with CONFIG_SECCOMP_FILTER';

/** The first part that is lacking is the one told. */
export function strengthOf(parts: {
  readonly bubblewrap: Part;
  readonly cgroups: Part;
  readonly filter: Part;
}): Pick<SandboxStrengthReport, 'strength' | 'problem' | 'mend'> {
  const { bubblewrap, cgroups, filter } = parts;
  const lacking = [bubblewrap, cgroups, filter].find(({ works }) => !works);
  if (lacking === undefined) return { strength: 'strong', problem: null, mend: null };
  const { problem, mend } = lacking;
  return { strength: lacking === bubblewrap ? 'none' : 'weak', problem, mend };
}

/** How well this machine contains a tool, for people, for `doctor` and for whoever chooses a node. */
import { probeSandbox } from '@helixmesh/pipelines';
import { probeCgroups } from './cgroup.ts';

/**
 * `strong`: bubblewrap and cgroups. `weak`: bubblewrap alone, so a tool may use up memory, processes
 * and processor time. `none`: a tool may do what its user may.
 */
export type SandboxStrength = 'strong' | 'weak' | 'none';

export interface SandboxStrengthReport {
  readonly strength: SandboxStrength;
  /** What is lacking, in words; null when it is strong. */
  readonly problem: string | null;
  /** The command that brings it; null when it is strong. */
  readonly mend: string | null;
  readonly cgroupVersion: 1 | 2 | null;
}

export async function probeStrength(): Promise<SandboxStrengthReport> {
  const bubblewrap = await probeSandbox();
  const { parents, problem, mend } = probeCgroups();
  const cgroupVersion = parents?.version ?? null;
  if (!bubblewrap.available) {
    const { problem: why, install } = bubblewrap;
    return { strength: 'none', problem: why, mend: install, cgroupVersion };
  }
  const strength = parents === null ? 'weak' : 'strong';
  return { strength, problem, mend, cgroupVersion };
}

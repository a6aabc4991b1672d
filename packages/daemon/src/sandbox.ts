/** The entry `@helixmesh/daemon/sandbox`: how well this machine contains a tool. */
export {
  probeStrength,
  type SandboxStrength,
  type SandboxStrengthReport,
} from './executor/sandbox/strength.ts';

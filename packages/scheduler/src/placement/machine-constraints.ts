/** Constraints on the machine: what it is, what it has free, how far away it is and what it costs. */
import type { NodeFacts } from '../node/facts.ts';
import { SANDBOX_STRENGTHS } from '../node/registration.ts';
import type { Reason } from './failure.ts';
import { latencyMs, type Paths } from './paths.ts';
import type { PreparedRequest } from './prepared.ts';
import { quoteMicroUsd } from './price.ts';

/**
 * A node whose operator has signed nothing about it could name any operator: distinct ones would mean
 * nothing, and nobody would answer for it.
 */
export function failStanding(node: NodeFacts, { toolSet, nowMs }: PreparedRequest): Reason | null {
  if (node.admission !== 'available') return 'not_verified';
  if (node.statement === null || node.statement.untilMs <= nowMs) return 'operator_unverified';
  if (!node.isRegistrationValid) return 'registration_expired';
  if (node.bannedToolSets.length === 0) return null;
  return node.bannedToolSets.includes(toolSet) ? 'tool_set_banned' : null;
}

export function failLiveness({ liveness }: NodeFacts): Reason | null {
  return liveness === 'online' ? null : liveness;
}

export function failServices({ services }: NodeFacts, { request }: PreparedRequest): Reason | null {
  for (const service of request.services) {
    if (!services.includes(service)) return 'service_missing';
  }
  return null;
}

/** Exact versions: another version may give another result for the same job hash. */
export function failTools({ tools }: NodeFacts, { toolVersions }: PreparedRequest): Reason | null {
  for (const [name, version] of toolVersions) {
    if (tools[name] === version) continue;
    return Object.hasOwn(tools, name) ? 'tool_version' : 'tool_missing';
  }
  return null;
}

export function failCores(node: NodeFacts, { request }: PreparedRequest): Reason | null {
  return node.freeCores >= request.cores ? null : 'cores_short';
}

export function failMemory(node: NodeFacts, { request }: PreparedRequest): Reason | null {
  return node.freeMemoryBytes >= request.memoryBytes ? null : 'memory_short';
}

export function failDisk(node: NodeFacts, { request }: PreparedRequest): Reason | null {
  return node.freeDiskBytes >= request.diskBytes ? null : 'disk_short';
}

export function failGpu(
  { freeGpuVramBytes }: NodeFacts,
  { request }: PreparedRequest,
): Reason | null {
  const { gpu } = request;
  if (gpu === null) return null;
  if (freeGpuVramBytes.length < gpu.count) return 'gpu_missing';
  let fitting = 0;
  for (const vramBytes of freeGpuVramBytes) if (vramBytes >= gpu.vramBytes) fitting++;
  return fitting >= gpu.count ? null : 'vram_short';
}

/** Data whose owner does not run the node is held in by a cgroup, or does not come. */
export function failSandbox(
  { sandbox, operator }: NodeFacts,
  { request, inputs }: PreparedRequest,
): Reason | null {
  if (sandbox === 'strong') return null;
  for (const { input } of inputs) if (input.owner !== operator) return 'third_party_data';
  const isEnough = SANDBOX_STRENGTHS.indexOf(sandbox) >= SANDBOX_STRENGTHS.indexOf(request.sandbox);
  return isEnough ? null : 'sandbox_weak';
}

export function failUserLatency({ user }: Paths, { request }: PreparedRequest): Reason | null {
  return failLatency(latencyMs(user), request.maxUserLatencyMs);
}

/** `index` is that of the input. */
export function failDataLatency(
  { inputs }: Paths,
  index: number,
  { request }: PreparedRequest,
): Reason | null {
  const path = inputs[index];
  return failLatency(path === undefined ? null : latencyMs(path), request.maxDataLatencyMs);
}

function failLatency(latency: number | null, maxMs: number | null): Reason | null {
  if (maxMs === null) return null;
  if (latency === null) return 'latency_unknown';
  return latency <= maxMs ? null : 'latency_high';
}

export function failPrice({ prices }: NodeFacts, { request }: PreparedRequest): Reason | null {
  const { usage, maxPriceMicroUsd } = request;
  return quoteMicroUsd(prices, usage) <= maxPriceMicroUsd ? null : 'price_high';
}

/** Replicas that one operator runs check nothing. */
export function failDistinctOperator(
  { operator }: NodeFacts,
  { takenOperators }: PreparedRequest,
): Reason | null {
  return takenOperators.has(operator) ? 'operator_taken' : null;
}

/**
 * The composition root: a node with the applications of its roles, each started after those that it
 * needs.
 *
 *   jobs          runs jobs: a node without a role, and the roles compute and coordinator
 *   storage, custodian, coordinator, compute   serve their part of the network's contract
 *   verification  at a coordinator: canaries
 *   listener      the port for other nodes and for people, opened when those are ready
 *   membership    registers at the coordinators and sends heartbeats
 *   api           the local socket, last but one: a node that answers there is up
 *   metrics       what Prometheus scrapes, where that is set
 */
import type { Ground } from './ground.ts';
import type { NetworkOptions } from './network-applications.ts';
import { type NodeOptions, type RunningNode, runNode } from './run-node.ts';

export type { NodeOptions, RunningNode };

/**
 * Starts a node and answers when it serves. Throws DATA_IN_USE when one runs there already; after
 * any failure nothing of it is left running.
 */
export function startNode(options: NodeOptions): Promise<RunningNode> {
  return runNode(options, networkOf);
}

/** Loaded by a node that has roles; others never load a network. */
async function networkOf(ground: Ground, options: NetworkOptions) {
  if (ground.config.roles.length === 0) return null;
  const { createNetwork } = await import('./network-applications.ts');
  return createNetwork(ground, options);
}

export type { Handlers } from './http/server.ts';
export { type NodeOptions, type RunningNode, startNode } from './node/start-node.ts';

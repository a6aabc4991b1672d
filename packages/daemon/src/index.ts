export type { Handlers } from './http/server.ts';
export {
  type ConfigKey,
  type LoadedConfig,
  loadConfig,
  type NodeConfig,
} from './node/config.ts';
export { lockDataFolder } from './node/lock.ts';
export { type NodePaths, nodePaths } from './node/paths.ts';
export { openReader } from './node/reader.ts';
export { type NodeOptions, type RunningNode, startNode } from './node/start-node.ts';
export { VERSION } from './node/version.ts';

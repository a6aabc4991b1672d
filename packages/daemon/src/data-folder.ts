/**
 * The entry `@helixmesh/daemon/data-folder`: settings and the folder that they name. Every command
 * needs it, so it loads neither SQL nor the engine nor the pipelines.
 */
export {
  type ConfigKey,
  type LoadedConfig,
  loadConfig,
  type NodeConfig,
  shownValue,
} from './node/config.ts';
export { lockDataFolder } from './node/lock.ts';
export { type NodePaths, nodePaths } from './node/paths.ts';
export { VERSION } from './node/version.ts';

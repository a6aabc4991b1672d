/**
 * The entry `@helixmesh/daemon/reader`: the jobs of a data folder without a node. It loads SQL, but
 * neither the engine nor the pipelines.
 */
export { type NodeReader, openReader } from './node/reader.ts';

/** The entry `@helixmesh/daemon/init`: making a data folder that belongs to a network. */
export { type Initialised, type InitOptions, initNode, writeNew } from './node/init.ts';

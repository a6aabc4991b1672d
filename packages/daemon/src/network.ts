/**
 * The entry `@helixmesh/daemon/network`: a node's identity and its port, for commands and tests that
 * need no whole node.
 */
export { accountOf, type Caller, nodeOf } from './network/caller.ts';
export { identityOf, loadIdentity, makeIdentity, type NodeIdentity } from './network/identity.ts';
export { createListener, type NetworkListener } from './network/listener.ts';
export type { ListenerOptions } from './network/options.ts';

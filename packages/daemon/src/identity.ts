/**
 * The entry `@helixmesh/daemon/identity`: whose data folder it is and which network it belongs to,
 * for commands that ask other nodes and serve nothing themselves.
 */

export { ZONE_STATEMENT_FILE } from './coordination/profile.ts';
export { type Vouching, vouchFor } from './coordination/vouch.ts';
export { loadIdentity, makeIdentity, type NodeIdentity } from './network/identity.ts';
export { type Network, readNetworkFile } from './node/network-file.ts';

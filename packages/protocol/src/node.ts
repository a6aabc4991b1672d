/** `@helixmesh/protocol/node`: the adapters that need Node. */
export { nodeCrypto } from './crypto/node-crypto.ts';

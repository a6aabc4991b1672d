/** `@helixmesh/protocol/browser`: the same ports in JavaScript alone. */
export { portableCrypto } from './crypto/portable-crypto.ts';

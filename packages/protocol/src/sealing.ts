/**
 * `@helixmesh/protocol/sealing`: encrypted objects, signed documents and requests. Apart from the
 * root, so that what neither seals nor signs does not load it.
 */
export * from './bytes.ts';
export * from './crypt4gh/body.ts';
export * from './crypt4gh/edit-list.ts';
export * from './crypt4gh/header.ts';
export * from './crypt4gh/key-file.ts';
export * from './crypt4gh/segments.ts';
export * from './crypto/port.ts';
export * from './digest.ts';
export * from './length-prefix.ts';
export { NODES_LISTED_MAX, SEED_NODES_MAX } from './limits.ts';
export * from './network/address.ts';
export * from './network/canary-routes.ts';
export * from './network/execute-job.ts';
export * from './network/genesis.ts';
export * from './network/invitation.ts';
export * from './network/routes.ts';
export * from './network/seed.ts';
export * from './network/task-routes.ts';
export * from './network/wire-error.ts';
export * from './objects/manifest.ts';
export * from './objects/merkle.ts';
export * from './objects/region-keys.ts';
export * from './objects/verified-read.ts';
export * from './signing/assignment.ts';
export * from './signing/commit.ts';
export * from './signing/commit-chain.ts';
export * from './signing/custodian.ts';
export * from './signing/document.ts';
export * from './signing/encryption-key.ts';
export * from './signing/fields.ts';
export * from './signing/grant.ts';
export * from './signing/grant-segments.ts';
export * from './signing/network-job.ts';
export * from './signing/replay-guard.ts';
export * from './signing/replica-permit.ts';
export * from './signing/request.ts';
export * from './signing/result.ts';
export * from './signing/result-statement.ts';
export * from './signing/revocation.ts';
export * from './signing/session.ts';
export * from './signing/task-release.ts';
export * from './signing/tombstone.ts';
export * from './signing/wallet.ts';
export * from './streams.ts';

/** `@helixmesh/client/biofs`: putting files into vaults as sealed objects, and reading them. */
export { bionfsVault } from './biofs/bionfs-vault.ts';
export { download } from './biofs/download.ts';
export { type KeyOf, segmentKeys } from './biofs/object-keys.ts';
export { type ObjectReader, openComparedObject, openObject } from './biofs/object-reader.ts';
export { writeWhole } from './biofs/partial-file.ts';
export { commonRanges, grantedRanges, totalOf } from './biofs/plan.ts';
export {
  type ObjectTerms,
  type PreparedObject,
  type PutContext,
  partOf,
  prepareObject,
  type SourceFile,
  type Uploads,
  type UploadTarget,
  uploadObject,
} from './biofs/put-object.ts';
export { readObject } from './biofs/read-object.ts';
export { type ReplicateRequest, replicateObject } from './biofs/replicate-object.ts';
export { gatherSame, type SameFiles } from './biofs/same-files.ts';
export { openSpool } from './biofs/spool.ts';
export type { OpenBody, ReadRequest, Vault } from './biofs/vault-port.ts';
export { watched } from './biofs/watched.ts';
export { CONNECTIONS_MAX } from './limits.ts';

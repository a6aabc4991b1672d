/**
 * The entry `@helixmesh/daemon/custody`: a person's store of keys, grants and revocations, for the
 * commands that work without a daemon; and the role that serves it.
 */
export type { AccessEntry } from './custody/access-log.ts';
export type { Restored } from './custody/backup.ts';
export { type CustodianOptions, createCustodian } from './custody/custodian.ts';
export { type Custody, type CustodyOptions, openCustody } from './custody/custody.ts';
export type { Dataset, DatasetState, NewDataset, OwnHeaders } from './custody/datasets.ts';
export type { GivenGrant, NewGrant, ReceivedGrant } from './custody/grants.ts';
export type { CurrentHead } from './custody/heads.ts';
export type { Released, ReleaseRequest } from './custody/release.ts';
export { OPEN_POLICY, type OwnerPolicy } from './custody/release-policy.ts';
export {
  type Refusal,
  type ReleaseReason,
  TOLD_REASONS,
  type ToldReason,
} from './custody/release-reasons.ts';
export type { Replica } from './custody/replicas.ts';

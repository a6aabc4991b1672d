/** What callers are told when they may not: never whether something is here that they may not read. */
import { AppError } from '@helixmesh/protocol';
import type { GateReason, HeadRefusal, PutRefusal } from '@helixmesh/vault';

/** An object that is not here, and one that the caller may not know of. */
export function objectNotFound(): AppError {
  return new AppError('OBJECT_NOT_FOUND', 'no such object here, or none that you may read', {
    hint: 'Check the id and the vault; if the object is not yours, give the grant with it.',
  });
}

/** Every reason for which the gate refuses. */
export function refusedBy(reasons: readonly GateReason[]): AppError {
  const named = [...new Set(reasons.map(reasonText))].join('; ');
  if (reasons.every(isCustodianSilent)) {
    return new AppError('CUSTODIAN_OFFLINE', named, {
      hint: "Try again when the owner's custodian is online: it has to say which grants hold.",
    });
  }
  return new AppError('ACCESS_REFUSED', `the licence does not allow this: ${named}`, {
    hint: 'Ask the owner of the data for a grant that allows it.',
  });
}

function isCustodianSilent({ of, reason }: GateReason): boolean {
  return of === 'head' && (reason === 'unknown' || reason === 'stale');
}

function reasonText(reason: GateReason): string {
  return `${REASON_OF[reason.of]} ${TEXTS[reason.reason]}`.trim();
}

const REASON_OF: Readonly<Record<GateReason['of'], string>> = {
  request: 'the request',
  head: 'the revocation head',
  object: "the object's terms:",
  grants: '',
  grant: 'a grant',
};

const TEXTS: Readonly<Record<GateReason['reason'], string>> = {
  ranges: 'names bytes that the body does not have',
  too_many_grants: 'holds too many grants',
  unknown: 'of the owner is not known here',
  stale: 'of the owner was not attested within a minute',
  network: 'is of another network',
  owner: 'is of another owner',
  residency: 'where copies may lie',
  none: 'no grant was given',
  ranges_not_granted: 'the grants do not cover all of the bytes',
  revoked: 'was revoked',
  segments_unknown: 'of regions came without the statement which segments they are',
  dataset: 'is for another dataset',
  grantee: 'is for somebody else',
  not_yet: 'is not yet valid',
  expired: 'has expired',
  pipeline: 'does not allow this pipeline',
  commercial_use: 'does not allow commercial use',
  zone: 'does not allow this zone',
};

/** Why an object is not taken. Who is told has signed its manifest. */
export function putRefused(reason: PutRefusal): AppError {
  const { code, message, hint } = PUT_REFUSALS[reason];
  return new AppError(code, message, { hint });
}

type Refusal = { readonly code: AppError['code']; readonly message: string; readonly hint: string };

const PUT_REFUSALS: Readonly<Record<PutRefusal, Refusal>> = {
  network: {
    code: 'ACCESS_REFUSED',
    message: 'the manifest is of another network',
    hint: 'Put the object into a vault of its own network.',
  },
  signature: {
    code: 'ACCESS_REFUSED',
    message: 'the manifest is not signed by its owner',
    hint: 'Sign the manifest with the wallet that it names.',
  },
  not_admitted: {
    code: 'QUOTA_EXCEEDED',
    message: 'this vault keeps nothing for this account',
    hint: 'Ask the operator of the vault for room, or use another vault.',
  },
  bytes: {
    code: 'QUOTA_EXCEEDED',
    message: 'the object is larger than what is left of the quota',
    hint: 'Remove objects that are not needed, or ask the operator of the vault for room.',
  },
  objects: {
    code: 'QUOTA_EXCEEDED',
    message: 'the account has as many objects as it may have here',
    hint: 'Remove objects that are not needed, or ask the operator of the vault for room.',
  },
  deleted: {
    code: 'OBJECT_REMOVED',
    message: 'the object was removed here',
    hint: 'Seal the data again: a new manifest is another object.',
  },
  in_progress: {
    code: 'BUSY',
    message: 'the object is coming in already, or is being removed',
    hint: 'Wait until the other upload has ended, then try again.',
  },
  busy: {
    code: 'BUSY',
    message: 'as many bodies come in as may at once',
    hint: 'Try again in a minute.',
  },
  full: {
    code: 'QUOTA_EXCEEDED',
    message: 'this vault has as many objects as it can know',
    hint: 'Use another vault.',
  },
};

/**
 * A disk that is full, as whoever sends a body is told of it. What has come in stays, and what was
 * stored before is as it was.
 */
export function withRoomHint(thrown: unknown): never {
  const error = AppError.from(thrown);
  if (error.code !== 'DISK_FULL') throw error;
  throw new AppError('DISK_FULL', 'the disk of this vault is full', {
    hint: 'Try again when its operator has made room: what has come in is kept. Or use another vault.',
    cause: error,
  });
}

/** Why a head, or what came with it, is not taken. Who is told is the custodian. */
export function headRefused(reason: HeadRefusal): AppError {
  return new AppError('CONFLICT', `the revocation head is not taken: ${HEAD_TEXTS[reason]}`, {
    hint: 'Send the last head of the owner, with their statement and a fresh attestation.',
  });
}

const HEAD_TEXTS: Readonly<Record<HeadRefusal, string>> = {
  network: 'something is of another network',
  signature: 'something is not signed by whom it has to be',
  owner: 'something is of another owner',
  custodian_unknown: 'the owner has not stated who their custodian is',
  head_unknown: 'no head of the owner is known',
  custodian_older: 'the owner has stated later who their custodian is',
  custodian_other: 'the head names another key than that of the custodian',
  rollback: 'a later one is known',
  fork: 'another one of that history is known',
  unrevoked: 'it lacks a revocation of an earlier one',
  stale: 'the attestation is not of this minute, or not for this head',
  damaged: 'what was kept of the owner is damaged, and the operator has to restore it',
  full: 'this vault knows as many owners as it can',
};

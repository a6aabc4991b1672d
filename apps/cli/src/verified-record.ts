/** The record of a placement as a coordinator sends it: unpacked, checked, and decided again. */
import { gunzipSync } from 'node:zlib';
import { AppError, type Digest, type NodeId } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { fromBase64 } from '@helixmesh/protocol/sealing';
import {
  DECISION_MAX_BYTES,
  type Placement,
  parsePlacement,
  verifyPlacement,
} from '@helixmesh/scheduler';

export interface VerifiedRecord {
  readonly id: Digest;
  readonly document: Placement;
}

export interface RecordOf {
  readonly network: Digest;
  readonly coordinator: NodeId;
  /** The job or task that was asked for. */
  readonly subject: string;
}

/**
 * Throws INPUT_MALFORMED, PEER_NOT_TRUSTED for what that coordinator has not signed or is about
 * something else, RESULT_DIFFERS where the recorded facts lead to another choice.
 */
export function verifiedRecord(record: string, { subject, ...by }: RecordOf): VerifiedRecord {
  const signed = parsePlacement(unpacked(fromBase64(record, 'a record of a placement')));
  const { document } = signed;
  const verdict = verifyPlacement(nodeCrypto, signed, by);
  if (verdict.status === 'invalid' && verdict.reason === 'replay') {
    throw new AppError('RESULT_DIFFERS', 'the recorded facts do not lead to the recorded choice', {
      hint: 'Keep the record: the coordinator has signed a choice that its own rules do not make.',
      details: { differing: verdict.differing },
    });
  }
  const isAsked = document.job === subject || document.taskId === subject;
  if (verdict.status === 'invalid' || !isAsked) {
    throw new AppError('PEER_NOT_TRUSTED', 'the record is not one of the coordinator about this', {
      hint: 'Ask the operator of the coordinator; nothing of the record is shown.',
    });
  }
  return { id: verdict.id, document };
}

function unpacked(packed: Uint8Array): Uint8Array {
  try {
    return gunzipSync(packed, { maxOutputLength: DECISION_MAX_BYTES });
  } catch (cause) {
    throw new AppError('INPUT_MALFORMED', 'the record of a placement cannot be unpacked', {
      hint: 'Ask the coordinator for it again.',
      cause,
    });
  }
}

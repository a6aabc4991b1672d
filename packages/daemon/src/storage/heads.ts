/**
 * The call of a custodian: PushHead.
 *
 * Invariants
 * C1  It is taken from the owner's custodian (its node key) or from the owner's own session, for owners
 *     for whom this vault keeps something.
 */

import type { ServiceImpl } from '@connectrpc/connect';
import { AppError } from '@helixmesh/protocol';
import type { BioNfs, PushHeadRequest } from '@helixmesh/protocol/bionfs';
import {
  encodeDocument,
  parseCustodian,
  parseHeadAttestation,
  parseRevocationHead,
} from '@helixmesh/protocol/sealing';
import type { Catalogue, HeadOutcome, Heads, HeadUpdate, QuotaOf } from '@helixmesh/vault';
import { accountOf, type Caller } from '../network/caller.ts';
import type { NetworkListener } from '../network/listener.ts';
import { headRefused } from './refusals.ts';

export interface HeadCallsOptions {
  readonly heads: Heads;
  readonly catalogue: Pick<Catalogue, 'used'>;
  readonly quotaOf: QuotaOf;
  readonly listener: Pick<NetworkListener, 'callerOf'>;
}

export function headCalls(options: HeadCallsOptions): Pick<ServiceImpl<typeof BioNfs>, 'pushHead'> {
  const { heads, listener } = options;
  return {
    async pushHead(request, context) {
      const update = parseUpdate(request);
      assertMayPush(options, listener.callerOf(context), update);
      const outcome = await heads.push(update);
      if (outcome.refused !== undefined && !isAnswer(outcome, update)) {
        throw headRefused(outcome.refused);
      }
      // What is missing has to be sent again: without the statement no head counts either.
      const number = outcome.refused === 'custodian_unknown' ? 0 : outcome.number;
      const { owner, number: attested } = update.attestation.document;
      const later = number > attested ? heads.headOf(owner) : undefined;
      return { number: BigInt(number), ...(later && { head: encodeDocument(later) }) };
    },
  };
}

/** Left out parts have no bytes. Throws INPUT_MALFORMED. */
function parseUpdate({ custodian, head, attestation }: PushHeadRequest): HeadUpdate {
  return {
    ...(custodian.length === 0 ? {} : { custodian: parseCustodian(custodian) }),
    ...(head.length === 0 ? {} : { head: parseRevocationHead(head) }),
    attestation: parseHeadAttestation(attestation),
  };
}

/**
 * An answer and no failure: the custodian sees by the number what this vault lacks, or that it is
 * itself behind, as after an older backup was restored.
 */
function isAnswer({ number, refused }: HeadOutcome, { attestation }: HeadUpdate): boolean {
  if (refused === 'custodian_unknown' || refused === 'head_unknown') return true;
  if (refused === 'rollback') return true;
  return refused === 'stale' && number !== attestation.document.number;
}

function assertMayPush(
  { heads, catalogue, quotaOf }: HeadCallsOptions,
  caller: Caller,
  { custodian, attestation }: HeadUpdate,
): void {
  const { owner } = attestation.document;
  // Not yet verified: what is not signed by the owner is refused by `push`.
  const stated = custodian?.document ?? heads.custodianOf(owner);
  const isTheirs =
    caller.kind === 'node'
      ? stated === undefined || stated.nodeId === caller.nodeId
      : accountOf(caller, 'custody').account === owner;
  const isKnown = quotaOf(owner) !== undefined || catalogue.used(owner).objects > 0;
  if (isTheirs && isKnown) return;
  throw new AppError('ACCESS_REFUSED', 'no heads are taken of this owner, or not from you', {
    hint: "Send it from the owner's custodian, to a vault that keeps objects of the owner.",
  });
}

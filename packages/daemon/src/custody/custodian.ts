/**
 * The role `custodian`: the owner's own process. It releases headers to those whom the owner has
 * granted, attests the owner's revocation heads, and pushes them to the vaults.
 *
 * It knows nothing between two requests: each is judged anew from the store and the documents that
 * came with it (`release-policy.ts`), and is in the access log before it is answered.
 */
import { AppError, type Digest, type NodeId } from '@helixmesh/protocol';
import {
  type Crypto,
  fromBase64,
  fromHex,
  KEY_BYTES,
  toBase64,
  toHex,
} from '@helixmesh/protocol/sealing';
import { type AccountCaller, accountOf, nodeOf } from '../network/caller.ts';
import type { NodeIdentity } from '../network/identity.ts';
import type { NetworkListener } from '../network/listener.ts';
import type { Application, ApplicationHealth } from '../node/application.ts';
import type { Logger } from '../node/logger.ts';
import type { Custody } from './custody.ts';
import { attestedHead, createHeadPusher, type HeadPusher, type PushHead } from './head-pusher.ts';
import { pushByBionfs } from './push-head.ts';
import type { ToldReason } from './release-reasons.ts';
import { keepRemoving } from './remover.ts';
import { replicaRefused } from './replicas.ts';

export interface CustodianOptions {
  readonly custody: Custody;
  readonly identity: NodeIdentity;
  readonly network: Digest;
  readonly listener: NetworkListener;
  /** Whose assignments count: as the network's genesis document names them. */
  readonly coordinators: readonly NodeId[];
  /** Whose statements of a zone count, likewise; where it names none, those of any operator do. */
  readonly operators?: readonly string[];
  readonly crypto: Crypto;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly logger: Logger;
  /** How a vault is told; by BioNFS unless a test does it otherwise. */
  readonly push?: PushHead;
  /** Between two rounds in which vaults are told of tombstones, ms; for tests. */
  readonly removeEveryMs?: number;
}

/** Registers its routes at the listener, which is opened and closed by whoever made it. */
export function createCustodian(options: CustodianOptions): Application {
  const { custody, identity, network, listener, crypto, now, logger } = options;
  const { signingKey } = identity;
  const push = options.push ?? pushByBionfs({ identity, network, now });
  const attesting = { custody, network, crypto, signingKey, now };
  const pusher = createHeadPusher({ ...attesting, push, logger });

  listener.route('releaseHeader', async ({ body }, caller) => {
    const { account, scopes }: AccountCaller = accountOf(caller, 'read');
    const released = custody.release({
      requester: { account, scopes },
      dataset: body.dataset,
      grant: body.grant === null ? null : fromBase64(body.grant, 'the grant'),
      purpose: body.purpose,
      encryptionKey: fromBase64(body.encryptionKey, 'the encryption key'),
      custodian: signingKey,
    });
    if (released.status === 'refused') throw refusal(released.told);
    const { manifest, header, partHeader, segments, grantSegments, vaults } = released;
    return {
      manifest: toBase64(manifest),
      header: toBase64(header),
      partHeader: partHeader && toBase64(partHeader),
      segments: segments && [...segments],
      grantSegments: grantSegments && toBase64(grantSegments),
      vaults: [...vaults],
    };
  });

  listener.route('releaseForTask', async ({ body }, caller) => {
    const released = custody.releaseForTask({
      caller: nodeOf(caller).nodeId,
      dataset: body.dataset,
      job: fromBase64(body.job, 'the job'),
      assignment: fromBase64(body.assignment, 'the assignment'),
      encryptionKey: fromHex(body.encryptionKey, { what: 'a key', bytes: KEY_BYTES }),
      custodian: signingKey,
      coordinators: options.coordinators,
    });
    if (released.status === 'refused') throw refusal(released.told);
    const { manifest, header, partHeader, release, grant } = released;
    return {
      manifest: toBase64(manifest),
      header: toBase64(header),
      partHeader: toBase64(partHeader),
      release: toBase64(release),
      grant: grant && toBase64(grant),
    };
  });

  listener.route('rewrapForTask', async ({ body }, caller) => {
    const rewrapped = custody.rewrapForTask({
      caller: nodeOf(caller).nodeId,
      job: fromBase64(body.job, 'the job'),
      assignment: fromBase64(body.assignment, 'the assignment'),
      encryptionKey: fromHex(body.encryptionKey, { what: 'a key', bytes: KEY_BYTES }),
      headers: body.headers.map((header) => fromBase64(header, 'a header')),
      custodian: signingKey,
      coordinators: options.coordinators,
    });
    if (rewrapped.status === 'refused') throw refusal(rewrapped.told);
    const { headers, recipient } = rewrapped;
    return { headers: headers.map(toBase64), recipient: toHex(recipient) };
  });

  listener.route('endJob', async ({ body }, caller) => {
    custody.endJob(body.job, nodeOf(caller).nodeId);
    return {};
  });

  listener.route('announceReplica', async ({ body }, caller) => {
    const statement = body.zoneStatement;
    const outcome = custody.announceReplica({
      caller: nodeOf(caller).nodeId,
      object: body.object,
      state: body.state,
      zoneStatement: statement === null ? null : fromBase64(statement, 'the zone statement'),
      operators: options.operators ?? [],
      custodian: signingKey,
    });
    if (outcome.status === 'refused') throw replicaRefused(outcome.reason);
    return { vaults: [...outcome.vaults], permit: toBase64(outcome.permit) };
  });

  listener.route('getHead', async ({ params }) => {
    const attested = attestedHead(attesting, params.owner);
    if (attested === undefined) {
      throw new AppError('NOT_FOUND', 'this custodian attests no revocation head of that account', {
        hint: "Ask the custodian that the account's statement names.",
      });
    }
    return {
      custodian: toBase64(attested.custodian),
      head: toBase64(attested.head),
      attestation: toBase64(attested.attestation),
    };
  });

  const stopping = new AbortController();
  let removing: Promise<void> | null = null;
  return {
    name: 'custodian',
    async start() {
      pusher.start();
      const everyMs = options.removeEveryMs;
      const remover = { custody, identity, network, now, logger, everyMs };
      removing ??= keepRemoving(remover, stopping.signal);
    },
    async stop() {
      stopping.abort();
      await Promise.all([pusher.stop(), removing]);
    },
    health: () => healthOf(pusher),
  };
}

function healthOf(pusher: HeadPusher): ApplicationHealth {
  try {
    return pusher.health();
  } catch (error) {
    // A store that cannot be read is what is wrong.
    return { status: 'failing', why: AppError.from(error).message };
  }
}

/** The closed set of what is told: all that strangers hear is `refused`. */
const TOLD: Readonly<Record<ToldReason, readonly [message: string, hint: string]>> = {
  refused: [
    'the custodian does not release this dataset to you',
    'Ask the owner of the data for a grant, and give it with the request.',
  ],
  grant_revoked: ['the grant was revoked', 'Ask the owner of the data for another grant.'],
  grant_expired: [
    'the grant does not hold at this time',
    'Ask the owner of the data for another grant.',
  ],
  encryption_key: [
    'your encryption key is not accepted',
    'Sign in again with `biofs login`: the statement of your key must be your latest one.',
  ],
  session_scope: [
    'your session may not read',
    'Sign in again with `biofs login`, for a session with the scope read.',
  ],
  purpose: [
    'the terms do not allow this purpose',
    'Name the pipeline, the zone and the use that were granted to you.',
  ],
  unavailable: [
    'the dataset is not to be had now',
    'Ask the owner of the data: their custodian says why in its access log.',
  ],
};

function refusal(told: ToldReason): AppError {
  const [message, hint] = TOLD[told];
  return new AppError('ACCESS_REFUSED', message, { hint, details: { reason: told } });
}

/**
 * Tells vaults which revocation head of an owner is the last one: attests it every 20 s, and at once
 * when a command has added a newer one. A vault that is offline is tried again with the next round;
 * until it has been reached it serves nothing under a grant, for what it holds is too old by then.
 *
 * Invariants
 * A1  Only a head that names this custodian is attested, and none while some vault holds a later one
 *     that the owner has signed.
 * A2  An attestation is made after the head was read: what was revoked before is in it.
 * A3  A vault that does not answer delays no other one.
 */
import { AppError, type Digest } from '@helixmesh/protocol';
import {
  type Crypto,
  concatBytes,
  encodeDocument,
  formatNodeAddress,
  HEAD_AGE_MS_MAX,
  HEAD_ATTESTATION_TYPE,
  type HeadAttestation,
  type KeyPair,
  type NodeAddress,
  signWithKey,
  toHex,
} from '@helixmesh/protocol/sealing';
import { type ApplicationHealth, OK } from '../node/application.ts';
import type { Logger } from '../node/logger.ts';
import type { Custody } from './custody.ts';
import { ATTEST_EVERY_MS, HEAD_POLL_MS, PUSH_TIMEOUT_MS, PUSHES_AT_ONCE_MAX } from './limits.ts';

/** Canonical bytes of what a vault, or whoever asks, gets to know of an owner's last head. */
export interface AttestedHead {
  readonly custodian: Uint8Array;
  readonly head: Uint8Array;
  readonly attestation: Uint8Array;
  readonly number: number;
}

/** What a vault holds: the number of its head, and the signed head where it is a later one. */
export interface HeldHead {
  readonly number: number;
  /** Canonical bytes; none where it is no later one. */
  readonly head: Uint8Array;
}

/** Gives a head to a vault; answers with what it holds then. What the vault has already is left out. */
export type PushHead = (
  vault: NodeAddress,
  head: Pick<AttestedHead, 'attestation'> & Partial<AttestedHead>,
  signal: AbortSignal,
) => Promise<HeldHead>;

export interface HeadPusherOptions {
  readonly custody: Custody;
  readonly network: Digest;
  readonly crypto: Crypto;
  /** Ed25519 key of the custodian. */
  readonly signingKey: KeyPair;
  readonly push: PushHead;
  readonly now: () => number;
  readonly logger: Logger;
}

export interface HeadPusher {
  start(): void;
  /** Ends when no push runs any more. */
  stop(): Promise<void>;
  /** Well when every vault has taken the last head within 60 s; degraded while one is offline. */
  health(): ApplicationHealth;
}

/**
 * The last head of an owner with a fresh attestation. Undefined without a head or a statement of the
 * custodian, and where this custodian may not attest it (A1).
 */
export function attestedHead(
  { custody, network, crypto, signingKey, now }: Omit<HeadPusherOptions, 'push' | 'logger'>,
  owner: string,
): AttestedHead | undefined {
  const current = custody.currentHead(owner);
  const custodian = custody.custodianOf(owner);
  if (current === undefined || custodian === undefined) return undefined;
  const { number, custodian: named } = current.signed.document;
  if (named !== toHex(signingKey.publicKey) || number < current.seenNumber) return undefined;
  const attestation: HeadAttestation = {
    type: HEAD_ATTESTATION_TYPE,
    network,
    owner,
    number,
    head: current.id,
    atMs: now(),
  };
  return {
    custodian: encodeDocument(custodian),
    head: encodeDocument(current.signed),
    attestation: encodeDocument(signWithKey(crypto, signingKey.secretKey, attestation)),
    number,
  };
}

interface VaultState {
  /** When the vault last took a head; undefined for never. */
  takenAtMs?: number;
  /** Code of what went wrong last; undefined when nothing did. */
  code?: string;
  /** Head and statement that the vault has. */
  held?: string;
  readonly sinceMs: number;
  isBusy: boolean;
}

export function createHeadPusher(options: HeadPusherOptions): HeadPusher {
  const { custody, crypto, now, logger } = options;
  /** By owner and vault. */
  const states = new Map<string, VaultState>();
  const running = new Set<Promise<void>>();
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let lastRoundMs = Number.NEGATIVE_INFINITY;
  let lastMark = '';

  async function pushOne(owner: string, vault: NodeAddress, state: VaultState): Promise<void> {
    const timeout = AbortSignal.any([stopping.signal, AbortSignal.timeout(PUSH_TIMEOUT_MS)]);
    state.isBusy = true;
    try {
      const attested = attestedHead(options, owner);
      if (attested === undefined) return;
      const { number, attestation, ...documents } = attested;
      const sent = toHex(crypto.sha256(concatBytes(documents.head, documents.custodian)));
      let held: HeldHead | null = null;
      if (state.held === sent) held = await options.push(vault, { attestation }, timeout);
      if (held === null || held.number < number) {
        held = await options.push(vault, { attestation, ...documents }, timeout);
      }
      if (held.number < number) throw notTaken();
      if (held.number > number && !custody.noteSeenHead(owner, held.head)) throw notShown();
      state.held = sent;
      state.takenAtMs = now();
      if (state.code !== undefined) logger.info({ vault: vault.nodeId }, 'vault is reached again');
      delete state.code;
    } catch (error) {
      if (stopping.signal.aborted) return;
      const { code } = AppError.from(error);
      if (state.code !== code) logger.warn({ vault: vault.nodeId, code }, 'vault has not the head');
      state.code = code;
      delete state.held;
    } finally {
      state.isBusy = false;
    }
  }

  /** All vaults that are not being told already, some at a time. */
  async function round(): Promise<void> {
    const due = custody.headOwners().flatMap((owner) =>
      custody.vaultsOf(owner).flatMap((vault) => {
        const key = `${owner} ${formatNodeAddress(vault)}`;
        const state = states.get(key) ?? { isBusy: false, sinceMs: now() };
        states.set(key, state);
        return state.isBusy ? [] : [{ owner, vault, state }];
      }),
    );
    const next = due.values();
    const worker = async () => {
      for (const { owner, vault, state } of next) await pushOne(owner, vault, state);
    };
    await Promise.all(Array.from({ length: PUSHES_AT_ONCE_MAX }, worker));
  }

  function look(): void {
    try {
      const mark = custody.headsMark();
      if (mark === lastMark && now() - lastRoundMs < ATTEST_EVERY_MS) return;
      lastMark = mark;
      lastRoundMs = now();
    } catch (error) {
      // The store is busy: the next look is in a second.
      logger.warn({ code: AppError.from(error).code }, 'the heads could not be read');
      return;
    }
    const one = round()
      .catch((error) => {
        logger.warn({ code: AppError.from(error).code }, 'a round of heads has failed');
      })
      .finally(() => running.delete(one));
    running.add(one);
  }

  return {
    start() {
      look();
      timer = setInterval(look, HEAD_POLL_MS);
    },
    async stop() {
      clearInterval(timer);
      stopping.abort();
      await Promise.all(running);
    },
    health() {
      const owners = custody.headOwners().filter((owner) => custody.vaultsOf(owner).length > 0);
      const behind = owners.filter((owner) => {
        const head = custody.currentHead(owner);
        return head !== undefined && head.signed.document.number < head.seenNumber;
      });
      if (behind.length > 0) return { status: 'failing', why: BEHIND };
      if (owners.some((owner) => attestedHead(options, owner) === undefined)) {
        return { status: 'failing', why: NOT_STATED };
      }
      const late = [...states.values()].filter(
        ({ takenAtMs, sinceMs }) => now() - (takenAtMs ?? sinceMs) > HEAD_AGE_MS_MAX,
      );
      if (late.length === 0) return OK;
      const codes = [...new Set(late.flatMap(({ code }) => code ?? []))].join(', ');
      const why = `${late.length} of ${states.size} vaults have not taken the revocation head for a minute (${codes || 'no answer'})`;
      return { status: 'degraded', why };
    },
  };
}

const BEHIND =
  'a vault holds a later revocation head than this custodian: restore a newer backup, or sign the next head';
const NOT_STATED =
  'an owner has not stated that this node is their custodian: run `biofs login` in this data folder';

function notShown(): AppError {
  return new AppError('CONFLICT', 'the vault says that it holds a later head, and shows none', {
    hint: 'Ask its operator what is wrong with it.',
  });
}

function notTaken(): AppError {
  return new AppError('CONFLICT', 'the vault holds an earlier head than it was given', {
    hint: 'Ask its operator what is wrong with it.',
  });
}

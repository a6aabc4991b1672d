/**
 * A node's side of the registry: it measures itself, registers with its coordinator, and says every
 * 30 s that it is there and what is free.
 *
 * M1  A coordinator that is offline stops nothing: the node tries again, sooner than it would beat.
 * M2  It registers anew when its hardware, its tools or what it offers have changed, when half of its
 *     registration's time is over, and when the coordinator does not know it any more; else never.
 * M3  Sequences are the node's time, and rise whatever its clock does. A clock that was set back
 *     between two starts is refused until it is reached again, by a minute at most: a request whose
 *     time is further off is refused as well.
 * M4  Attempts that began or ended are told within a second or so: the coordinator places by them.
 * M5  A node that stops says that it takes nothing new; that word may get lost, silence says it too.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Channel, openChannel } from '@helixmesh/client/network';
import { AppError, canonicalJson, type Digest } from '@helixmesh/protocol';
import {
  type Crypto,
  encodeDocument,
  type NodeAddress,
  type Signed,
  signWithKey,
  toBase64,
} from '@helixmesh/protocol/sealing';
import {
  type Hardware,
  HEARTBEAT_INTERVAL_MS,
  type Heartbeat,
  REGISTRATION_TYPE,
  type Registration,
  registrationSchema,
  type ZoneStatement,
} from '@helixmesh/scheduler';
import type { NodeIdentity } from '../network/identity.ts';
import type { Application, ApplicationHealth } from '../node/application.ts';
import type { FreeResources } from '../node/hardware.ts';
import type { Logger } from '../node/logger.ts';
import {
  CALL_MAX_MS,
  FAREWELL_MAX_MS,
  LOAD_LOOK_MS,
  REGISTRATION_VALID_MS,
  REMEASURE_MS,
  RETRY_FIRST_MS,
} from './limits.ts';

/** What a node says of itself; the operator's configuration. */
export interface NodeProfile
  extends Pick<
    Registration,
    'operator' | 'endpoint' | 'location' | 'services' | 'prices' | 'slots'
  > {
  /** What the operator's wallet has signed about this node; null for nothing. */
  readonly zoneStatement: Signed<ZoneStatement> | null;
}

/** How the node looks at its machine. */
export interface Measure {
  hardware(): Promise<Hardware>;
  free(): Promise<FreeResources>;
  runningAttempts(): number;
}

export interface MembershipOptions {
  readonly identity: NodeIdentity;
  readonly network: Digest;
  readonly coordinator: NodeAddress;
  /** Asked for when the node has a port, and before each heartbeat. */
  readonly profile: () => NodeProfile | Promise<NodeProfile>;
  readonly measure: Measure;
  readonly crypto: Crypto;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly logger: Logger;
  readonly intervalMs?: number;
}

export interface Membership extends Application {
  /** Says that the node takes nothing new, at once, and with each heartbeat from now on. */
  drain(): void;
  /** Takes that back. What the coordinator was asked for stays. */
  resume(): void;
  /** True when nothing new is to be taken: by `drain`, or because the coordinator was asked so. */
  readonly isDraining: boolean;
}

export function createMembership(options: MembershipOptions): Membership {
  const { logger, intervalMs = HEARTBEAT_INTERVAL_MS } = options;
  const stopping = new AbortController();
  let nudged = new AbortController();
  let isDraining = false;
  let liveness = 'offline';
  let why: string | null = 'it has not registered yet';
  /** The roles do their work without it; that nobody else hears of the node is what is missing. */
  let isCoordinatorAway = false;
  let going: Promise<void> | null = null;
  const node = createVoice(options);

  async function turn(retryMs: number): Promise<number> {
    try {
      ({ liveness } = await node.speak(isDraining, stopping.signal));
      why = null;
      return RETRY_FIRST_MS;
    } catch (thrown) {
      if (stopping.signal.aborted) return retryMs;
      const error = AppError.from(thrown);
      logger.warn({ code: error.code }, 'the coordinator was not told');
      why = `the coordinator was not told: ${error.message}`;
      isCoordinatorAway = error.code === 'PEER_UNREACHABLE';
      return Math.min(retryMs * 2, intervalMs);
    }
  }

  async function goOn(): Promise<void> {
    for (let retryMs = RETRY_FIRST_MS; !stopping.signal.aborted; ) {
      nudged = new AbortController();
      const next = await turn(retryMs);
      const waitMs = why === null ? intervalMs : Math.min(retryMs, intervalMs);
      retryMs = next;
      const signal = AbortSignal.any([stopping.signal, nudged.signal]);
      await pause(waitMs, signal);
    }
  }

  /** Aborted: something is to be said now. */
  async function pause(waitMs: number, signal: AbortSignal): Promise<void> {
    for (let left = waitMs; left > 0 && !signal.aborted; left -= LOAD_LOOK_MS) {
      const lookMs = Math.min(left, LOAD_LOOK_MS);
      await delay(lookMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (why === null && options.measure.runningAttempts() !== node.attemptsSaid) return; // M4.
    }
  }

  function setDraining(is: boolean): void {
    if (isDraining === is) return;
    isDraining = is;
    nudged.abort();
  }

  return {
    name: `membership at ${options.coordinator.host}:${options.coordinator.port}`,
    async start() {
      going ??= goOn();
    },
    async stop() {
      if (stopping.signal.aborted) return;
      stopping.abort();
      await going;
      if (going !== null) await node.leave();
      node.close();
    },
    health(): ApplicationHealth {
      if (why === null) return { status: 'ok' };
      return { status: isCoordinatorAway ? 'degraded' : 'failing', why };
    },
    drain: () => setDraining(true),
    resume: () => setDraining(false),
    get isDraining() {
      return isDraining || liveness === 'draining';
    },
  };
}

interface Standing {
  readonly admission: string;
  readonly liveness: string;
}

/** What one node says to its coordinator, one thing after the other. */
function createVoice(options: MembershipOptions) {
  const { identity, network, coordinator: address, measure, crypto, now } = options;
  const { secretKey } = identity.signingKey;
  const channel: Channel = openChannel({
    address,
    network,
    signer: { secretKey },
    certificate: identity,
    now,
  });
  let sequence = 0;
  let measured: { readonly atMs: number; readonly hardware: Hardware } | null = null;
  let registered: Registration | null = null;
  let attemptsSaid = 0;

  /** M3. */
  const nextSequence = () => {
    sequence = Math.max(sequence + 1, now());
    return sequence;
  };

  async function hardwareNow(): Promise<Hardware> {
    if (measured === null || now() - measured.atMs >= REMEASURE_MS) {
      measured = { atMs: now(), hardware: await measure.hardware() };
    }
    return measured.hardware;
  }

  /** M2. */
  async function register(signal: AbortSignal): Promise<void> {
    const hardware = await hardwareNow();
    const profile = await options.profile();
    if (registered !== null) {
      const { issuedAtMs, expiresAtMs } = registered;
      const isYoung = now() < issuedAtMs + (expiresAtMs - issuedAtMs) / 2;
      if (isYoung && isSaidIn(registered, { ...profile, hardware })) return;
    }
    const issuedAtMs = now();
    const document = checked({
      type: REGISTRATION_TYPE,
      network,
      nodeId: identity.nodeId,
      ...profile,
      hardware,
      sequence: nextSequence(),
      issuedAtMs,
      expiresAtMs: issuedAtMs + REGISTRATION_VALID_MS,
    });
    const bytes = encodeDocument(signWithKey(crypto, secretKey, document));
    const view = await channel.call('registerNode', {
      body: { registration: toBase64(bytes) },
      signal,
    });
    registered = document;
    const { admission, tier, zones } = view;
    options.logger.info({ admission, tier, zones }, 'registered with the coordinator');
    if (profile.zoneStatement !== null && zones.length === 0) {
      options.logger.warn({}, 'the zone statement is not signed by the operator, or is over');
    }
  }

  async function beat(isDraining: boolean, signal: AbortSignal): Promise<Standing> {
    const heartbeat: Heartbeat = {
      v: 1,
      nodeId: identity.nodeId,
      sequence: nextSequence(),
      runningAttempts: measure.runningAttempts(),
      isDraining,
      ...(await measure.free()),
    };
    const body = { heartbeat: toBase64(encodeDocument(heartbeat)) };
    try {
      const standing = await channel.call('heartbeat', { body, signal });
      attemptsSaid = heartbeat.runningAttempts;
      return standing;
    } catch (thrown) {
      // The coordinator has forgotten this node: the next turn registers it.
      if (AppError.from(thrown).code === 'NOT_FOUND') registered = null;
      throw thrown;
    }
  }

  return {
    async speak(isDraining: boolean, stopping: AbortSignal): Promise<Standing> {
      const signal = AbortSignal.any([stopping, AbortSignal.timeout(CALL_MAX_MS)]);
      await register(signal);
      return beat(isDraining, signal);
    },
    /** M5. */
    async leave(): Promise<void> {
      if (registered === null) return;
      await beat(true, AbortSignal.timeout(FAREWELL_MAX_MS)).catch(() => undefined);
    },
    /** As the coordinator heard it last. */
    get attemptsSaid() {
      return attemptsSaid;
    },
    close: () => channel.close(),
  };
}

/** Whether the registration says just that already. */
function isSaidIn(
  registered: Registration,
  said: NodeProfile & { readonly hardware: Hardware },
): boolean {
  const { network, nodeId, sequence, type, issuedAtMs, expiresAtMs } = registered;
  const again = { ...said, network, nodeId, sequence, type, issuedAtMs, expiresAtMs };
  return canonicalJson(again) === canonicalJson(registered);
}

/** Throws CONFIG_INVALID naming what the network would refuse. */
function checked(document: unknown): Registration {
  const parsed = registrationSchema.safeParse(document);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') ?? '';
  throw new AppError('CONFIG_INVALID', `cannot register: ${where}: ${issue?.message}`, {
    hint: 'Correct the settings of the node; `helixmesh config print` shows them.',
  });
}

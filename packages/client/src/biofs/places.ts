/** The vaults of one reading: one is used at a time, and the next one when that one fails. */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '@helixmesh/protocol';
import { READ_TRIES_MAX, RETRY_WAIT_MS } from '../limits.ts';
import type { OpenBody, ReadRequest, Vault } from './vault-port.ts';

export interface PlacesOptions {
  /** At least one. */
  readonly vaults: readonly Vault[];
  readonly request: ReadRequest;
  readonly signal: AbortSignal;
}

/** One opening of the object at one vault. */
export interface Place {
  readonly body: Promise<OpenBody>;
}

export interface Places {
  /** The one in use; it is opened when it is first asked for. */
  current(): Place;
  /** Answers when trying again is worth it, at another place; else throws `error`. */
  recover(failed: Place, error: unknown, tries: number): Promise<void>;
  /** Runs `use` at one place after the other until it succeeds. */
  use<T>(use: (body: OpenBody) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export function makePlaces({ vaults, request, signal }: PlacesOptions): Places {
  let at = 0;
  let place: Place | undefined;

  function current(): Place {
    if (place !== undefined) return place;
    const vault = vaults[at % vaults.length];
    if (vault === undefined) throw noVault();
    const body = vault.open(request, signal);
    // Whoever waits for it is told; nobody may be waiting just now.
    body.catch(ignore);
    place = { body };
    return place;
  }

  /** Goes on to the next vault, unless another piece has done so already. */
  function leave(failed: Place): void {
    if (failed !== place) return;
    place = undefined;
    at += 1;
    void closed(failed);
  }

  async function recover(failed: Place, error: unknown, tries: number): Promise<void> {
    signal.throwIfAborted();
    const { code, retryable } = AppError.from(error);
    const isNextUntried = tries < vaults.length;
    const canHelp = retryable || code === 'LEASE_EXPIRED';
    if (!isNextUntried && !(canHelp && tries < READ_TRIES_MAX)) throw error;
    leave(failed);
    const waitMs = RETRY_WAIT_MS * 2 ** (tries - 1);
    if (!isNextUntried) await delay(waitMs, undefined, { signal });
  }

  return {
    current,
    recover,
    async use(use) {
      for (let tries = 1; ; tries += 1) {
        const here = current();
        try {
          return await use(await here.body);
        } catch (error) {
          await recover(here, error, tries);
        }
      }
    },
    async close() {
      if (place !== undefined) await closed(place);
      place = undefined;
    },
  };
}

async function closed({ body }: Place): Promise<void> {
  await body.then((opened) => opened.close()).catch(ignore);
}

/** A vault that is left was found wanting, or is done with: how it takes the farewell is no news. */
function ignore(): void {}

function noVault(): AppError {
  return new AppError('USAGE', 'no vault is known that has this object', {
    hint: 'Name one with --vault.',
  });
}

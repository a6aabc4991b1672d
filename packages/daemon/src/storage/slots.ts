/** Places for what goes on at once, counted for each key and for all. */
import { AppError } from '@helixmesh/protocol';

export interface SlotLimits {
  readonly slotsMax: number;
  readonly perKeyMax: number;
  /** Named in the error: `bodies are read`. */
  readonly what: string;
}

export interface Slots {
  /** Held until it is disposed of. Throws BUSY. */
  take(key: string): Disposable;
}

export function makeSlots({ slotsMax, perKeyMax, what }: SlotLimits): Slots {
  const countByKey = new Map<string, number>();
  let taken = 0;
  return {
    take(key) {
      const own = countByKey.get(key) ?? 0;
      if (own >= perKeyMax || taken >= slotsMax) {
        throw new AppError('BUSY', `as many ${what} as may be at once`, {
          hint: 'Wait until one of your own has ended, then try again.',
        });
      }
      countByKey.set(key, own + 1);
      taken += 1;
      let isHeld = true;
      return {
        [Symbol.dispose]() {
          if (!isHeld) return;
          isHeld = false;
          taken -= 1;
          const left = (countByKey.get(key) ?? 0) - 1;
          if (left > 0) countByKey.set(key, left);
          else countByKey.delete(key);
        },
      };
    },
  };
}

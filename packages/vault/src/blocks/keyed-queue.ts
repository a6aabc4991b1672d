/** Work on one key in the order in which it was asked for; work on other keys goes on beside it. */

/** Runs `work` once everything asked for before it, under the same key, has ended. */
export type KeyedQueue = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/** Keys are forgotten when nothing waits: memory is what is under way. */
export function keyedQueue(): KeyedQueue {
  const tails = new Map<string, Promise<unknown>>();
  return async (key, work) => {
    const before = tails.get(key);
    const turn = before === undefined ? work() : before.then(work, work);
    tails.set(key, turn);
    try {
      return await turn;
    } finally {
      if (tails.get(key) === turn) tails.delete(key);
    }
  };
}

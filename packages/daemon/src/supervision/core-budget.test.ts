import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CoreBudget, type Grant } from './core-budget.ts';

const never = new AbortController().signal;

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('who wants more than there is gets all of it', async () => {
  const budget = new CoreBudget(4);
  assert.equal((await budget.acquire(64, never)).cores, 4);
});

test('single-core work does not overtake who waits for several cores', async () => {
  const budget = new CoreBudget(2);
  const order: string[] = [];
  const ask = (name: string, wanted: number): Promise<Grant> =>
    budget.acquire(wanted, never).then((grant) => {
      order.push(name);
      return grant;
    });
  const first = await ask('first', 1);
  const wide = ask('wide', 2);
  const narrow = ask('narrow', 1);
  await settled();
  assert.deepEqual(order, ['first']);
  first.release();
  (await wide).release();
  await narrow;
  assert.deepEqual(order, ['first', 'wide', 'narrow']);
});

test('who gives up waiting holds nothing and lets the next one in', async () => {
  const budget = new CoreBudget(2);
  const held = await budget.acquire(1, never);
  const controller = new AbortController();
  const wide = budget.acquire(2, controller.signal);
  const narrow = budget.acquire(1, never);
  controller.abort();
  await assert.rejects(wide, { name: 'AbortError' });
  (await narrow).release();
  held.release();
  held.release();
  assert.equal((await budget.acquire(2, never)).cores, 2);
  await assert.rejects(budget.acquire(1, AbortSignal.abort()), { name: 'AbortError' });
});

test('never more cores are held than there are, and everybody is served in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 8 }),
      fc.array(fc.integer({ min: 1, max: 10 }), { maxLength: 30 }),
      async (total, wishes) => {
        const budget = new CoreBudget(total);
        const served: number[] = [];
        let held = 0;
        const work = async (wanted: number, i: number): Promise<void> => {
          const grant = await budget.acquire(wanted, never);
          served.push(i);
          held += grant.cores;
          assert.ok(held <= total && grant.cores >= 1 && grant.cores <= wanted);
          await settled();
          held -= grant.cores;
          grant.release();
        };
        await Promise.all(wishes.map(work));
        assert.deepEqual(served, [...wishes.keys()]);
      },
    ),
    { numRuns: 30 },
  );
});

/** A coordinator in memory that keeps to the port: one task, as many attempts as were added. */
import { AppError, type AttemptId } from '@helixmesh/protocol';
import type { TaskInputs } from '@helixmesh/protocol/sealing';
import type { Assignment, Held, Order, Proof, Secret, WorkSource } from '../work-source.ts';

interface Entry {
  readonly assignment: Assignment;
  state: 'offered' | 'held' | 'committed' | 'revealed' | 'lost' | 'failed';
  secret: Secret | null;
  code: string | null;
}

export class MemoryWorkSource implements WorkSource {
  readonly entries: Entry[] = [];
  /** Called before each answer; what it throws is thrown. */
  before: (what: 'claim' | 'renew' | 'commit' | 'reveal' | 'fail', held?: Held) => void = () => {};
  keepUntilMs = Number.MAX_SAFE_INTEGER;

  add(assignment: Assignment): void {
    this.entries.push({ assignment, state: 'offered', secret: null, code: null });
  }

  entry(attemptId: AttemptId): Entry {
    const entry = this.entries.find(({ assignment }) => assignment.attemptId === attemptId);
    if (entry === undefined) throw new AppError('NOT_FOUND', 'no such attempt');
    return entry;
  }

  async claim(signal: AbortSignal): Promise<Assignment> {
    this.before('claim');
    const next = this.entries.find(({ state }) => state === 'offered');
    if (next !== undefined) {
      next.state = 'held';
      return next.assignment;
    }
    const { promise, reject } = Promise.withResolvers<never>();
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    return promise;
  }

  async renew(held: Held): Promise<Order> {
    this.before('renew', held);
    return this.#order(held);
  }

  async proof({ job }: Pick<Assignment, 'job'>): Promise<Proof> {
    return { job, assignment: '' };
  }

  async inputs(): Promise<TaskInputs> {
    return [];
  }

  async commit(held: Held, secret: Secret): Promise<Order> {
    this.before('commit', held);
    const entry = this.entry(held.attemptId);
    if (entry.state === 'held') Object.assign(entry, { state: 'committed', secret });
    return this.#order(held);
  }

  async reveal(held: Held, secret: Secret): Promise<Order> {
    this.before('reveal', held);
    const entry = this.entry(held.attemptId);
    const isSame = JSON.stringify(entry.secret) === JSON.stringify(secret);
    if (!isSame) throw new AppError('CONFLICT', 'the reveal does not open the commit');
    if (entry.state === 'committed') entry.state = 'revealed';
    return this.#order(held);
  }

  async fail(held: Held, code: string): Promise<void> {
    this.before('fail', held);
    Object.assign(this.entry(held.attemptId), { state: 'failed', code });
  }

  #order({ attemptId, fencingToken }: Held): Order {
    const entry = this.entry(attemptId);
    if (entry.state === 'lost' || entry.assignment.fencingToken !== fencingToken) {
      return { status: 'lost' };
    }
    const open = this.entries.filter(({ state }) => state !== 'lost' && state !== 'failed');
    if (open.every(({ state }) => state === 'revealed')) {
      return { status: 'final', keepUntilMs: this.keepUntilMs };
    }
    const isTime = open.every(({ state }) => state === 'committed' || state === 'revealed');
    return isTime ? { status: 'reveal' } : { status: 'held', leaseMs: 150 };
  }
}

/**
 * The journal of the in-memory engine: what was called, in order, and how each call ended. Plain
 * data, so that it can be copied, cut short and replayed.
 */
import { AppError, type ErrorRecord, type Json } from '@helixmesh/protocol';

export type OperationKind =
  | 'task'
  | 'readJson'
  | 'step'
  | 'race'
  | 'signal'
  | 'sleep'
  | 'now'
  | 'emit';

export type JournalEntry =
  | {
      readonly type: 'called';
      /** The n-th call of the pipeline function, from 0. */
      readonly call: number;
      readonly kind: OperationKind;
      readonly label: string;
    }
  | { readonly type: 'ended'; readonly call: number; readonly outcome: Outcome };

export type Outcome =
  | { readonly status: 'value'; readonly value: Json }
  | { readonly status: 'error'; readonly error: ErrorRecord };

export interface JobJournal {
  readonly entries: JournalEntry[];
  /** Values sent from outside, by the signal's name; the first one counts. */
  readonly signals: Map<string, Json>;
  /** Virtual Unix time, milliseconds. */
  clockMs: number;
}

/** Answers of earlier executions by call, and a check that this one asks the same. */
export class Replay {
  readonly #calls = new Map<number, { readonly kind: OperationKind; readonly label: string }>();
  readonly #outcomes = new Map<number, Outcome>();

  constructor(entries: readonly JournalEntry[]) {
    for (const entry of entries) {
      if (entry.type === 'ended') this.#outcomes.set(entry.call, entry.outcome);
      else this.#calls.set(entry.call, { kind: entry.kind, label: entry.label });
    }
  }

  /** True when an earlier execution made this call. INTERNAL when it made another one there. */
  isKnown(call: number, kind: OperationKind, label: string): boolean {
    const known = this.#calls.get(call);
    if (known === undefined) return false;
    if (known.kind === kind && known.label === label) return true;
    throw new AppError(
      'INTERNAL',
      `call ${call} of the pipeline is ${kind} ${label}, and was ${known.kind} ${known.label}`,
      { hint: 'Raise the version of a pipeline whose order of calls changes.' },
    );
  }

  outcome(call: number): Outcome | undefined {
    return this.#outcomes.get(call);
  }
}

/**
 * The state machine of a node (NEXAPod's diagram) as a pure function: (lifecycle, event) →
 * lifecycle, or the reason why the event is refused.
 *
 *   unregistered → registered → pending_verification → available
 *   available → busy → executing → complete → reputation_update → available
 *
 * The first row holds for a node, the second for each of its slots. A node of one slot goes through
 * the seed's diagram state for state. Added to it: a lost attempt frees its slot, hardware that
 * changes is verified again, and `banned`, which nothing leaves. A canary task of the verification
 * holds no slot.
 */
import type { AttemptId } from '@helixmesh/protocol';

export const ATTEMPT_PHASES = ['busy', 'executing', 'complete', 'reputation_update'] as const;
export type AttemptPhase = (typeof ATTEMPT_PHASES)[number];

export const NODE_PHASES = [
  'unregistered',
  'registered',
  'pending_verification',
  'available',
  ...ATTEMPT_PHASES,
  'banned',
] as const;
export type NodePhase = (typeof NODE_PHASES)[number];

export interface HeldSlot {
  readonly attemptId: AttemptId;
  readonly phase: AttemptPhase;
}

export interface NodeLifecycle {
  /** How far the node itself has come; `available` stays while its slots are in use. */
  readonly admission: Exclude<NodePhase, AttemptPhase>;
  /** Of the registration that holds; -1 before the first. */
  readonly sequence: number;
  readonly slots: number;
  /** One for each attempt that the node has. */
  readonly held: readonly HeldSlot[];
}

export const UNREGISTERED: NodeLifecycle = {
  admission: 'unregistered',
  sequence: -1,
  slots: 0,
  held: [],
};

export type NodeEvent =
  | {
      readonly type: 'register';
      readonly sequence: number;
      readonly slots: number;
      /** Hardware, tools and sandbox are those that were verified before. */
      readonly isVerifiedHardware: boolean;
    }
  | { readonly type: 'begin_verification' }
  | { readonly type: 'verify'; readonly isPassed: boolean }
  | { readonly type: 'ban' }
  | {
      readonly type: 'assign' | 'start' | 'submit' | 'judge' | 'release' | 'lose';
      readonly attemptId: AttemptId;
    };

export type Refusal =
  | 'banned'
  | 'stale_sequence'
  | 'wrong_phase'
  | 'no_free_slot'
  | 'attempt_unknown'
  | 'attempt_exists';

export type Transition =
  | { readonly status: 'moved'; readonly lifecycle: NodeLifecycle }
  | { readonly status: 'refused'; readonly reason: Refusal };

/** What an event about an attempt needs and gives; null frees the slot. */
const ATTEMPT_MOVES: Readonly<
  Record<string, { readonly from: readonly AttemptPhase[]; readonly to: AttemptPhase | null }>
> = {
  start: { from: ['busy'], to: 'executing' },
  submit: { from: ['executing'], to: 'complete' },
  judge: { from: ['complete'], to: 'reputation_update' },
  release: { from: ['reputation_update'], to: null },
  lose: { from: ['busy', 'executing'], to: null },
};

export function transition(node: NodeLifecycle, event: NodeEvent): Transition {
  if (node.admission === 'banned') return refused('banned');
  switch (event.type) {
    case 'register':
      return register(node, event);
    case 'begin_verification':
      if (node.admission !== 'registered') return refused('wrong_phase');
      return moved({ ...node, admission: 'pending_verification' });
    case 'verify':
      if (node.admission !== 'pending_verification') return refused('wrong_phase');
      return moved({ ...node, admission: event.isPassed ? 'available' : 'registered' });
    case 'ban':
      if (node.admission === 'unregistered') return refused('wrong_phase');
      return moved({ ...node, admission: 'banned', held: [] });
    case 'assign':
      return assign(node, event.attemptId);
    default:
      return move(node, event.type, event.attemptId);
  }
}

/** The seed's state of the whole node: `available` while a slot is free, else its slots' earliest. */
export function phaseOf({ admission, held, slots }: NodeLifecycle): NodePhase {
  if (admission !== 'available' || held.length < slots) return admission;
  return ATTEMPT_PHASES.find((phase) => held.some((slot) => slot.phase === phase)) ?? admission;
}

function register(
  node: NodeLifecycle,
  event: Extract<NodeEvent, { readonly type: 'register' }>,
): Transition {
  if (event.sequence <= node.sequence) return refused('stale_sequence');
  const isKept = node.admission === 'available' && event.isVerifiedHardware;
  return moved({
    admission: isKept ? 'available' : 'registered',
    sequence: event.sequence,
    slots: event.slots,
    // Attempts that run go on: their results are checked like any other.
    held: node.held,
  });
}

function assign(node: NodeLifecycle, attemptId: AttemptId): Transition {
  if (node.admission !== 'available') return refused('wrong_phase');
  if (node.held.some((slot) => slot.attemptId === attemptId)) return refused('attempt_exists');
  if (node.held.length >= node.slots) return refused('no_free_slot');
  return moved({ ...node, held: [...node.held, { attemptId, phase: 'busy' }] });
}

function move(node: NodeLifecycle, type: string, attemptId: AttemptId): Transition {
  const slot = node.held.find((each) => each.attemptId === attemptId);
  const step = ATTEMPT_MOVES[type];
  if (slot === undefined) return refused('attempt_unknown');
  if (step === undefined || !step.from.includes(slot.phase)) return refused('wrong_phase');
  const { to } = step;
  const others = node.held.filter((each) => each !== slot);
  return moved({ ...node, held: to === null ? others : [...others, { attemptId, phase: to }] });
}

function moved(lifecycle: NodeLifecycle): Transition {
  return { status: 'moved', lifecycle };
}

function refused(reason: Refusal): Transition {
  return { status: 'refused', reason };
}

/** A decision about a task, as people read it. */
import type { PlacementExplanation } from '@helixmesh/protocol/sealing';
import {
  type Candidate,
  type Decision,
  quoteMicroUsd,
  TERMS,
  type Term,
} from '@helixmesh/scheduler';
import type { VerifiedRecord } from '../verified-record.ts';
import { dateTime, shortParty } from './format.ts';
import { printable } from './printable.ts';
import { green, red } from './style.ts';
import { pairs, table } from './table.ts';

/** `0x` and eight digits. */
const OPERATOR_SHOWN = 10;
/** Scores are in 10⁻⁴ points, terms in hundredths of one. */
const SCORE_UNIT = 10_000;
const TERM_UNIT = 100;
const MICRO = 1e6;
/** Decimals of a dollar that matter for a task of seconds. */
const PRICE_DECIMALS = 4;

export function placementText(
  { id, document }: VerifiedRecord,
  placements: PlacementExplanation['placements'],
): string {
  const { decision, job, taskId, coordinator } = document;
  const { request, decidedAtMs } = decision;
  const others = placements.filter(({ placement }) => placement !== id);
  const name = placements.find(({ placement }) => placement === id)?.task;
  const head = pairs([
    ['job', job],
    ['task', name === undefined || name === 'main' ? taskId : `${printable(name)}  ${taskId}`],
    ['decided', `${dateTime(decidedAtMs)} UTC`],
    ['outcome', outcomeOf(decision)],
    ['price', `at most ${dollars(request.maxPriceMicroUsd)} for a replica`],
    ['record', `${id}, signed by ${shortParty(coordinator)}; made again: the same choice`],
    ...others.map((other) => ['also', otherText(other)] as const),
  ]);
  const columns = [
    { title: 'node' },
    { title: 'operator' },
    { title: 'score', align: 'right' as const },
    ...TERMS.map((title) => ({ title, align: 'right' as const })),
    { title: 'price', align: 'right' as const },
    { title: 'result' },
  ];
  const rows = ranked(decision).map((candidate) => rowOf(candidate, decision));
  return `${head}\n\n${rows.length === 0 ? 'No node runs tasks.' : table(columns, rows)}`;
}

function otherText({
  placement,
  status,
  task,
}: PlacementExplanation['placements'][number]): string {
  return `${placement} (${task === 'main' ? status : `${printable(task)}, ${status}`})`;
}

function outcomeOf({ outcome, request, candidates }: Decision): string {
  const { status, chosen, lawful } = outcome;
  const of = `${lawful} of ${candidates.length} nodes are lawful`;
  if (status === 'placed') return green(`placed on ${chosen.length}; ${of}`);
  if (status === 'run_once') return green(`placed on one, so that nobody checks; ${of}`);
  return red(`waits for ${request.replicas} nodes of different operators; ${of}`);
}

/** Chosen and lawful ones first, best first; then those that were refused. */
function ranked({ candidates, outcome }: Decision): Candidate[] {
  const place = ({ facts }: Candidate) => {
    const at = outcome.chosen.indexOf(facts.nodeId);
    return at === -1 ? outcome.chosen.length : at;
  };
  return candidates.toSorted(
    (a, b) =>
      place(a) - place(b) || (b.score ?? -1) - (a.score ?? -1) || (a.tie ?? 0) - (b.tie ?? 0),
  );
}

function rowOf(candidate: Candidate, { request, outcome }: Decision): string[] {
  const { facts, score, terms } = candidate;
  const points = (term: Term) => (terms === null ? '' : (terms[term] / TERM_UNIT).toFixed(0));
  return [
    shortParty(facts.nodeId),
    facts.operator.slice(0, OPERATOR_SHOWN),
    score === null ? '' : (score / SCORE_UNIT).toFixed(2),
    ...TERMS.map(points),
    dollars(quoteMicroUsd(facts.prices, request.usage)),
    resultOf(candidate, outcome.chosen.includes(facts.nodeId)),
  ];
}

function resultOf({ failed }: Candidate, isChosen: boolean): string {
  if (isChosen) return green('chosen');
  if (failed.length === 0) return 'lawful';
  const reasons = failed.map(
    ({ constraint, reason, input }) =>
      `${constraint}: ${reason}${input === null ? '' : ` (dataset ${input + 1})`}`,
  );
  return red(reasons.join(', '));
}

function dollars(microUsd: number): string {
  return `$${(microUsd / MICRO).toFixed(PRICE_DECIMALS)}`;
}

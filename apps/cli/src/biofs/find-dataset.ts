/** Datasets as people name them: by their id, or by enough of its first digits. */
import type { Custody, Dataset, ReceivedGrant } from '@helixmesh/daemon/custody';
import { AppError, type Digest } from '@helixmesh/protocol';

export type FoundDataset =
  | { readonly kind: 'own'; readonly dataset: Dataset }
  /** The latest first. */
  | { readonly kind: 'granted'; readonly received: readonly ReceivedGrant[] };

const PREFIX = 'sha256:';
/** As many digits as lists show; 12 tell any two apart that one person has. */
const DIGITS_SHOWN = 12;
const DIGITS_MIN = 4;
/** Which command lists what; datasets are listed by `ls`. */
const LISTS: Readonly<Record<string, string>> = { grant: 'grants', job: 'jobs' };

/** The digits of an id that lists show, and that commands take. */
export function shortId(id: Digest): string {
  return id.slice(PREFIX.length, PREFIX.length + DIGITS_SHOWN);
}

export function idOf(found: FoundDataset): Digest {
  if (found.kind === 'own') return found.dataset.id;
  const [first] = found.received;
  if (first !== undefined) return first.invitation.grant.document.dataset;
  throw new AppError('INTERNAL', 'a granted dataset has no grant');
}

/** One's own dataset, or one that somebody has granted. Throws NOT_FOUND, USAGE. */
export function findDataset(custody: Custody, text: string): FoundDataset {
  const own = custody.listDatasets().map((dataset) => ({ id: dataset.id, dataset }));
  const granted = custody.listInvitations().map((received) => {
    return { id: received.invitation.grant.document.dataset, received };
  });
  const id = findId(text, [...own, ...granted], 'dataset');
  const dataset = own.find((one) => one.id === id)?.dataset;
  if (dataset !== undefined) return { kind: 'own', dataset };
  const received = granted.filter((one) => one.id === id).map((one) => one.received);
  return { kind: 'granted', received: received.reverse() };
}

/** One's own dataset. Throws NOT_FOUND, USAGE. */
export function findOwn(custody: Custody, text: string): Dataset {
  const found = findDataset(custody, text);
  if (found.kind === 'own') return found.dataset;
  throw new AppError('USAGE', 'this dataset belongs to somebody else', {
    hint: 'Ask its owner; `biofs ls` says who that is.',
  });
}

/** The id that `text` is, or begins. Throws NOT_FOUND, USAGE. */
export function findId(
  text: string,
  known: readonly { readonly id: Digest }[],
  what: string,
): Digest {
  const digits = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : text;
  if (!/^[0-9a-f]{1,64}$/.test(digits) || digits.length < DIGITS_MIN) {
    throw new AppError('USAGE', `not the id of a ${what}: ${JSON.stringify(text.slice(0, 100))}`, {
      hint: `Give sha256:<64 hex digits>, or at least ${DIGITS_MIN} of its first digits.`,
    });
  }
  const ids = new Set(known.map(({ id }) => id).filter((id) => id.startsWith(PREFIX + digits)));
  const [id] = ids;
  if (id === undefined) {
    throw new AppError('NOT_FOUND', `no ${what} ${digits}`, {
      hint: `See \`biofs ${LISTS[what] ?? 'ls'}\`.`,
    });
  }
  if (ids.size === 1) return id;
  throw new AppError('USAGE', `${ids.size} ${what}s begin with ${digits}`, {
    hint: 'Give more of its digits.',
  });
}

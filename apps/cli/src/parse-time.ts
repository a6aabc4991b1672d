/** Times on the command line. */
import { InvalidArgumentError } from 'commander';

/** A date, or a date with a time and its zone, in ms since 1970. */
export function parseTime(text: string): number {
  const isTime = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/.test(text);
  const atMs = isTime ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(atMs)) return atMs;
  throw new InvalidArgumentError('Give a date, e.g. 2027-01-31 or 2027-01-31T12:00Z.');
}

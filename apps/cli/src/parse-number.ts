/** Numbers on the command line. */
import { InvalidArgumentError } from 'commander';

/** A finite number of zero or more; ranges are checked where the value is used. */
export function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) {
    throw new InvalidArgumentError('Give a number.');
  }
  return value;
}

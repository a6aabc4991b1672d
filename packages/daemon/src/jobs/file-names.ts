/**
 * Names of the user's reads in what the API shows. Steps speak of R1 and R2, so that results that
 * several jobs share, stored errors and logs hold no file name, which often is a person's; only the
 * view of one job puts the names in. Pure.
 */
import type { GermlineInput } from '@helixmesh/pipelines';
import type { ErrorCode, ErrorRecord } from '@helixmesh/protocol';

type Reads = GermlineInput['reads'];

/** Failures whose message tells of the reads; others may quote a tool that says R1 of something else. */
const CODES: readonly ErrorCode[] = [
  'INPUT_NOT_FOUND',
  'INPUT_EMPTY',
  'INPUT_TRUNCATED',
  'INPUT_MALFORMED',
  'INPUT_WRONG_FORMAT',
  'MATES_UNEQUAL',
];

/** The error with base names for R1 and R2 in its message; with paths where the names are the same. */
export function withFileNames(error: ErrorRecord, { r1, r2 }: Reads): ErrorRecord {
  if (!CODES.includes(error.code)) return error;
  const name = r1.name === r2?.name ? 'location' : 'name';
  const message = error.message.replaceAll(/\bR([12])\b/g, (label, mate) =>
    mate === '1' ? r1[name] : (r2?.[name] ?? label),
  );
  return { ...error, message };
}

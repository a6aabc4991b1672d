/**
 * Which node has made the files of a folder, and for which job, by its signed statement beside them:
 * without a network, a login or a key, so for anybody who is given the folder.
 */
import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, type Digest } from '@helixmesh/protocol';
import {
  type Crypto,
  parseResultStatement,
  RESULT_STATEMENT_BYTES_MAX,
  RESULT_STATEMENT_FILE,
  type ResultStatement,
  type Signed,
  verifyResultStatement,
} from '@helixmesh/protocol/sealing';
import { printable } from '../../ui/printable.ts';
import { type Differences, differencesOf } from './result-statement.ts';

/** Names of each kind in the words of an error; all of them stand in its details. */
const NAMED_MAX = 5;

export interface VerifiedFolder {
  readonly folder: string;
  /** Id of the statement. */
  readonly statement: Digest;
  readonly stated: Omit<ResultStatement, 'type'>;
}

/**
 * Throws INPUT_NOT_FOUND without a folder or a statement in it, INPUT_MALFORMED for one that is none,
 * PEER_NOT_TRUSTED for one that its node has not signed, INPUT_CHANGED for files that are not as it says.
 */
export async function verifyFolder(crypto: Crypto, folder: string): Promise<VerifiedFolder> {
  const signed = await readStatement(folder);
  const { type: _, ...stated } = signed.document;
  const verdict = verifyResultStatement(crypto, signed, stated.network);
  if (verdict.status === 'invalid') throw notSigned(verdict.reason);
  const found = await differencesOf(crypto, { folder, outputs: stated.outputs });
  if (found !== null) throw changed(found);
  return { folder, statement: verdict.id, stated };
}

async function readStatement(folder: string): Promise<Signed<ResultStatement>> {
  const path = join(folder, RESULT_STATEMENT_FILE);
  const facts = await lstat(path).catch(() => null);
  if (facts === null || !facts.isFile()) {
    throw new AppError('INPUT_NOT_FOUND', `there is no file ${path}`, {
      hint:
        'Name a folder that `biofs result` has made; a result that was taken with --unsigned, or by ' +
        'an older version, has no statement.',
    });
  }
  if (facts.size > RESULT_STATEMENT_BYTES_MAX) {
    throw new AppError('INPUT_MALFORMED', `${path} is too large for a statement of a result`, {
      hint: 'Get the folder again from whoever fetched the result.',
    });
  }
  return parseResultStatement(await readFile(path));
}

function notSigned(reason: string): AppError {
  const message =
    reason === 'result'
      ? 'the result digest of the statement is not made of what it states'
      : 'the node that the statement names has not signed it';
  return new AppError('PEER_NOT_TRUSTED', message, {
    hint: 'Nothing shows who has made these files: get the folder again from whoever fetched it.',
  });
}

function changed(found: Differences): AppError {
  const details = { ...found };
  const words = Object.entries(details)
    .filter(([, paths]) => paths.length > 0)
    .map(([what, paths]) => `${what}: ${namesOf(paths)}`);
  return new AppError(
    'INPUT_CHANGED',
    `the files are not those that were stated; ${words.join('; ')}`,
    {
      hint: 'Take away what was added, and get what was changed or is missing from who fetched it.',
      details,
    },
  );
}

function namesOf(paths: readonly string[]): string {
  const named = paths.slice(0, NAMED_MAX).map(printable).join(', ');
  return paths.length > NAMED_MAX ? `${named} and ${paths.length - NAMED_MAX} more` : named;
}

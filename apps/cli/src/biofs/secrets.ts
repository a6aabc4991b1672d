/**
 * Passphrases: from a file, from the environment, or typed on a terminal without being shown. Where
 * there is no terminal nobody is asked.
 */
import { readFile } from 'node:fs/promises';
import { AppError } from '@helixmesh/protocol';
import { PASSPHRASE_CHARS_MAX } from './limits.ts';

export interface SecretSource {
  /** What it opens: `the keystore`. */
  readonly what: string;
  readonly file?: string | undefined;
  /** Name of an environment variable. */
  readonly variable: string;
  /** Typed twice, because a slip could not be mended. */
  readonly isNew?: boolean;
}

/** Throws USAGE where there is none, and nobody who can be asked. */
export async function readSecret(source: SecretSource): Promise<string> {
  const { what, file, variable, isNew } = source;
  if (file !== undefined) return firstLine(file);
  const value = process.env[variable];
  if (value !== undefined && value !== '') return value;
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new AppError('USAGE', `no passphrase for ${what}`, {
      hint: `Give --passphrase-file, or set ${variable}.`,
    });
  }
  const typed = await ask(`Passphrase for ${what}: `);
  if (isNew === true && (await ask('The same again: ')) !== typed) {
    throw new AppError('USAGE', 'the two passphrases differ', { hint: 'Run the command again.' });
  }
  return typed;
}

async function firstLine(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw new AppError('INPUT_NOT_FOUND', `cannot read the passphrase file ${path}`, {
      hint: 'Name a file whose first line is the passphrase.',
      cause,
    });
  });
  return (text.split('\n', 1)[0] ?? '').replace(/\r$/, '').slice(0, PASSPHRASE_CHARS_MAX);
}

const BACKSPACES = ['\u007f', '\b'];
const ENDS = ['\r', '\n', '\u0004'];
const INTERRUPT = '\u0003';

/** A line from the terminal, of which nothing is shown. Throws CANCELED for Ctrl-C. */
async function ask(question: string): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(question);
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  let typed = '';
  try {
    for await (const chunk of stdin.iterator({ destroyOnReturn: false })) {
      for (const char of String(chunk)) {
        if (char === INTERRUPT) throw canceled();
        if (ENDS.includes(char)) return typed;
        if (BACKSPACES.includes(char)) typed = typed.slice(0, -1);
        else if (typed.length < PASSPHRASE_CHARS_MAX) typed += char;
      }
    }
    return typed;
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write('\n');
  }
}

function canceled(): AppError {
  return new AppError('CANCELED', 'no passphrase was given', { hint: 'Run the command again.' });
}

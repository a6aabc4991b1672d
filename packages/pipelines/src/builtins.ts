/** The registry of builtins by the name that stands in a command. One line each. */
import { extractFindings } from './germline/findings-extract.ts';
import { intake } from './intake/intake.ts';
import type { Builtin } from './task/builtin.ts';

export const BUILTINS: Readonly<Record<string, Builtin>> = {
  'extract-findings': extractFindings,
  intake,
};

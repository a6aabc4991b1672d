/** `biofs grant`, `revoke`, `grants`, `accept` and `access-log`. */

import { resolve } from 'node:path';
import type { Range, Region } from '@helixmesh/protocol/sealing';
import type { Command } from 'commander';
import { answer, contextOf } from '../../context.ts';
import { parseNumber } from '../../parse-number.ts';
import { parseTime } from '../../parse-time.ts';
import { dateTime, shortParty } from '../../ui/format.ts';
import { pairs, table } from '../../ui/table.ts';
import {
  many,
  parseBytes,
  parseRegion,
  type TermsOptions,
  termsOf,
  withTermsOptions,
} from '../terms-options.ts';

interface GrantOptions extends TermsOptions {
  readonly to: string;
  readonly until?: number;
  readonly region?: readonly Region[];
  readonly bytes?: readonly Range[];
  readonly index?: string;
  readonly out: string;
  readonly passphraseFile?: string;
}

const INDEX = 'index of the file: a dataset or a file (default: your dataset of that name)';
const AGAIN = 'Run the command again: nothing was left half done.';
/** Entries of the access log that are shown unless told otherwise. */
const ENTRIES_USUAL = 50;

export function addGrant(program: Command): void {
  withTermsOptions(
    program
      .command('grant')
      .summary('let somebody use a dataset, on your terms')
      .description(
        'Signs a grant and writes a file to hand over; it holds no secret. Your custodian releases ' +
          'the keys to that account alone, each time on these terms, until you revoke it. What was ' +
          'read before cannot be taken back. With --region, of a BAM or bgzipped VCF file that was put ' +
          'with --region-grants, it is for the blocks alone that hold the header and those records.',
      )
      .argument('<dataset>', 'id of the dataset, or its first digits')
      .requiredOption('--to <account>', 'wallet of the grantee: 0x and 40 hex digits')
      .option('--until <time>', 'end of the grant, e.g. 2027-01-31 (default: none)', parseTime)
      .option(
        '--region <region>',
        'only this part, e.g. chr7:1-200000; may be repeated',
        many(parseRegion),
      )
      .option(
        '--bytes <from-to>',
        'bytes of the file that the regions are, without an index; may be repeated',
        many(parseBytes),
      )
      .option('--index <index>', INDEX)
      .requiredOption('--out <file>', 'new file to hand over')
      .option('--passphrase-file <file>', 'its first line opens the keystore'),
  ).action(async (text: string, options: GrantOptions, command) => {
    const context = contextOf(command);
    const { withPerson } = await import('../person.ts');
    const { giveGrant } = await import('../give-grant.ts');
    const done = await withPerson(context, AGAIN, (person) =>
      giveGrant(person, text, {
        to: options.to.toLowerCase(),
        terms: termsOf(options),
        untilMs: options.until ?? null,
        regions: options.region ?? null,
        byteRanges: options.bytes ?? null,
        index: options.index,
        path: resolve(options.out),
        passphraseFile: options.passphraseFile,
      }),
    );
    answer(
      context,
      done,
      pairs([
        ['grant', done.grant],
        ['to', done.grantee],
        ['until', untilText(done)],
        ['file', done.path],
      ]),
    );
  });
}

export function addRevoke(program: Command): void {
  program
    .command('revoke')
    .summary('end a grant')
    .description(
      'Signs that the grant has ended. Your custodian refuses from then on, and vaults within a ' +
        'minute, whether they hear of it or not. What was read before cannot be taken back.',
    )
    .argument('<grant>', 'id of the grant, or its first digits')
    .option('--passphrase-file <file>', 'its first line opens the keystore')
    .action(async (text: string, options: { passphraseFile?: string }, command) => {
      const context = contextOf(command);
      const { withPerson } = await import('../person.ts');
      const { revokeGrant } = await import('../give-grant.ts');
      const done = await withPerson(context, AGAIN, (person) =>
        revokeGrant(person, text, options.passphraseFile),
      );
      answer(context, done, `${done.grant} is revoked (revocation head ${done.head})`);
    });
}

export function addGrants(program: Command): void {
  program
    .command('grants')
    .summary('list what you have granted')
    .description('Lists the grants that you have given, the revoked and ended ones too.')
    .argument('[dataset]', 'only of this dataset')
    .action(async (text: string | undefined, _options: object, command) => {
      const context = contextOf(command);
      const { withPerson } = await import('../person.ts');
      const { listGrants } = await import('../give-grant.ts');
      const grants = await withPerson(context, AGAIN, async (person) => listGrants(person, text));
      const columns = ['grant', 'dataset', 'to', 'state', 'until', 'terms'].map((title) => ({
        title,
      }));
      const rows = grants.map((one) => [
        one.shortId,
        one.shortDataset,
        one.grantee,
        one.state,
        one.untilMs === null ? '' : dateTime(one.untilMs),
        one.termsText,
      ]);
      answer(context, grants, rows.length === 0 ? 'No grant yet.' : table(columns, rows));
    });
}

/** `until  revoked` would say that it is. */
function untilText({ untilMs }: { readonly untilMs: number | null }): string {
  return untilMs === null ? 'its owner revokes it' : `${dateTime(untilMs)} UTC`;
}

export function addAccept(program: Command): void {
  program
    .command('accept')
    .summary('keep a grant that somebody has handed to you')
    .description(
      'Checks that the owner has signed all of it for your account and keeps it. The keys come from ' +
        "the owner's custodian when you read.",
    )
    .argument('<file>', 'a file of `biofs grant`')
    .action(async (file: string, _options: object, command) => {
      const context = contextOf(command);
      const { withPerson } = await import('../person.ts');
      const { acceptGrant } = await import('../give-grant.ts');
      const done = await withPerson(context, AGAIN, (person) => acceptGrant(person, resolve(file)));
      answer(
        context,
        done,
        pairs([
          ['dataset', done.dataset],
          ['owner', done.owner],
          ['until', untilText(done)],
        ]),
      );
    });
}

export function addAccessLog(program: Command): void {
  program
    .command('access-log')
    .summary('show who asked your custodian for keys, and what they got')
    .description(
      'Shows each release and refusal of your custodian, the latest first, and the node that saw the ' +
        'plaintext where it was for an analysis.',
    )
    .argument('[dataset]', 'only of this dataset')
    .option('--limit <n>', 'entries at most', parseNumber, ENTRIES_USUAL)
    .action(async (text: string | undefined, options: { limit: number }, command) => {
      const context = contextOf(command);
      const { withPerson } = await import('../person.ts');
      const { findOwn, shortId } = await import('../find-dataset.ts');
      const entries = await withPerson(context, AGAIN, async ({ custody }) => {
        const dataset = text === undefined ? {} : { dataset: findOwn(custody, text).id };
        return custody.accessLog({ ...dataset, limit: options.limit });
      });
      const columns = ['time (UTC)', 'who', 'dataset', 'for', 'outcome', 'node'].map((title) => ({
        title,
      }));
      const rows = entries.map((entry) => [
        dateTime(entry.atMs),
        entry.who,
        shortId(entry.dataset),
        [entry.purpose.pipeline, ...(entry.task === null ? [] : [entry.task])].join(' '),
        [entry.outcome, ...entry.reasons].join(' '),
        entry.node === null ? '' : shortParty(entry.node.nodeId),
      ]);
      answer(context, entries, rows.length === 0 ? 'Nobody has asked.' : table(columns, rows));
    });
}

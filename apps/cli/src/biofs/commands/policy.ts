/** `biofs policy`. */
import { TIERS, type Tier } from '@helixmesh/protocol/sealing';
import { type Command, InvalidArgumentError } from 'commander';
import { answer, contextOf } from '../../context.ts';
import { pairs } from '../../ui/table.ts';
import type { PolicyChange, PolicyView } from '../owner-policy.ts';
import { parseAccounts, parseNames, parseTiers, parseZones, termsText } from '../terms-options.ts';

/** No limit. Commander takes a null for no value. */
type Any = 'any';

interface Options {
  readonly pipelines?: readonly string[] | Any;
  readonly zones?: readonly string[] | Any;
  readonly commercial?: boolean;
  readonly operators?: readonly string[] | Any;
  readonly tiers?: readonly Tier[] | Any;
  readonly operatorsMax?: number | Any;
  readonly pause?: boolean;
  readonly resume?: boolean;
}

const AGAIN = 'Run the command again: nothing was left half done.';

export function addPolicy(program: Command): void {
  program
    .command('policy')
    .summary('show or change what your custodian releases keys for at most')
    .description(
      'The policy binds every grant and every release from the next one on, whatever a grant allows; ' +
        'you read your own data all the same. Operators and tiers are those of nodes that work on ' +
        'tasks; people whom you grant to read at no node. Options change what they name and leave ' +
        'the rest; without any it is shown. It is kept in your custody and signed by nobody.',
    )
    .option('--pipelines <names>', 'only these pipelines, by commas, or any', orAny(parseNames))
    .option('--zones <zones>', 'only in these legal zones, e.g. EU,MX, or any', orAny(parseZones))
    .option('--commercial <answer>', 'yes or no: whether commercial use may be granted', parseYes)
    .option(
      '--operators <accounts>',
      'tasks only at nodes of these operators, 0x…,0x…, or any',
      orAny(parseAccounts),
    )
    .option(
      '--tiers <tiers>',
      `tasks only at nodes of these tiers (${TIERS.join(', ')}), or any`,
      orAny(parseTiers),
    )
    .option(
      '--operators-max <n>',
      'operators who may ever have the keys of one dataset for tasks, or any',
      orAny(parseCount),
    )
    .option('--pause', 'release nothing to anybody')
    .option('--resume', 'release again')
    .action(async (options: Options, command) => {
      const context = contextOf(command);
      const { withPerson } = await import('../person.ts');
      const { changePolicy } = await import('../owner-policy.ts');
      const view = await withPerson(context, AGAIN, async (person) =>
        changePolicy(person, changeOf(options)),
      );
      answer(context, view, viewText(view));
    });
}

function changeOf(options: Options): PolicyChange {
  const { pause, resume } = options;
  return {
    pipelines: limitOf(options.pipelines),
    zones: limitOf(options.zones),
    commercialUse: options.commercial,
    operators: limitOf(options.operators),
    tiers: limitOf(options.tiers),
    plaintextOperatorsMax: limitOf(options.operatorsMax),
    isPaused: pause === true ? true : resume === true ? false : undefined,
  };
}

function viewText(view: PolicyView): string {
  const { terms, isPaused, operators, tiers, plaintextOperatorsMax: max } = view;
  return pairs([
    ['releases', isPaused ? 'paused: nothing is released to anybody' : 'as granted, at most for'],
    ['terms', termsText(terms)],
    ['tasks at', operators === null ? 'any operator' : operators.join(', ')],
    ['on nodes', tiers === null ? 'of any tier' : `of tier ${tiers.join(', ')}`],
    ['operators', max === null ? 'any number' : `${max} for each dataset`],
  ]);
}

function limitOf<T>(given: T | Any | undefined): T | null | undefined {
  return given === 'any' ? null : given;
}

function orAny<T>(parse: (text: string) => T): (text: string) => T | Any {
  return (text) => (text === 'any' ? text : parse(text));
}

function parseYes(text: string): boolean {
  if (text === 'yes' || text === 'no') return text === 'yes';
  throw new InvalidArgumentError('Give yes or no.');
}

function parseCount(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give a number, or any.');
}

/** `biofs policy`. */
import { type Command, InvalidArgumentError } from 'commander';
import { answer, contextOf } from '../../context.ts';
import { pairs } from '../../ui/table.ts';
import type { PolicyChange, PolicyView } from '../owner-policy.ts';
import { parseNames, parseZones, termsText } from '../terms-options.ts';

/** No limit. Commander takes a null for no value. */
type Any = 'any';

interface Options {
  readonly pipelines?: readonly string[] | Any;
  readonly zones?: readonly string[] | Any;
  readonly commercial?: boolean;
  readonly operators?: number | Any;
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
        'you read your own data all the same. Options change what they name and leave the rest; ' +
        'without any it is shown. It is kept in your custody and signed by nobody.',
    )
    .option('--pipelines <names>', 'only these pipelines, by commas, or any', orAny(parseNames))
    .option('--zones <zones>', 'only in these legal zones, e.g. EU,MX, or any', orAny(parseZones))
    .option('--commercial <answer>', 'yes or no: whether commercial use may be granted', parseYes)
    .option(
      '--operators <n>',
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

function changeOf({ pipelines, zones, commercial, operators, pause, resume }: Options) {
  const isPaused = pause === true ? true : resume === true ? false : undefined;
  const change: PolicyChange = {
    pipelines: limitOf(pipelines),
    zones: limitOf(zones),
    commercialUse: commercial,
    plaintextOperatorsMax: limitOf(operators),
    isPaused,
  };
  return change;
}

function viewText({ terms, isPaused, plaintextOperatorsMax: operators }: PolicyView): string {
  return pairs([
    ['releases', isPaused ? 'paused: nothing is released to anybody' : 'as granted, at most for'],
    ['terms', termsText(terms)],
    ['operators', operators === null ? 'any number' : `${operators} for each dataset`],
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

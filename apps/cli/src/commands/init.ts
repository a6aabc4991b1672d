import type { Initialised } from '@helixmesh/daemon/init';
import { AppError } from '@helixmesh/protocol';
import type { Seeded } from '@helixmesh/protocol/sealing';
import type { Command } from 'commander';
import { answer, contextOf, type GlobalOptions } from '../context.ts';
import { askedSeed, isSeedAddress } from '../genesis-option.ts';
import { typedCommand, typedPath } from '../ui/as-typed.ts';

interface InitFlags {
  readonly role?: readonly string[];
  readonly networkName?: string;
  readonly genesis?: string;
  readonly attest?: readonly string[];
  readonly network?: string;
  readonly listen?: string;
  readonly listenPublic?: boolean;
  readonly endpoint?: string;
  readonly coordinator?: string;
  readonly zone?: string;
  readonly location?: string;
  readonly operator?: string;
}

/** Where a node with a role listens unless told otherwise. */
const LISTEN_DEFAULT = '127.0.0.1:7400';

export function addInit(program: Command): void {
  const collect = (value: string, before: readonly string[] = []) => [...before, value];
  program
    .command('init')
    .summary('make this data folder a part of a network')
    .description(
      'Writes the identity, the genesis document and the settings of a node into the data folder. ' +
        'It founds a network, or joins the one of a genesis document, and overwrites nothing. ' +
        'The settings of the file of --config, as those in deploy/, are taken over.',
    )
    .option(
      '--role <role>',
      'storage, custodian, compute, coordinator or seed; may be repeated',
      collect,
    )
    .option('--network-name <name>', 'found a network of this name')
    .option(
      '--genesis <where>',
      'join the network of this network.json, or of the seed at this address',
    )
    .option('--network <id>', 'joining by a seed: the id that the network must have')
    .option(
      '--attest <wallet>',
      'founding: operator whose statements of a zone count; may be repeated',
      collect,
    )
    .option('--listen <host:port>', `where a node with a role listens (default: ${LISTEN_DEFAULT})`)
    .option('--listen-public', 'allow an address that other machines reach')
    .option('--endpoint <host:port>', 'what others dial, where that is another one')
    .option('--coordinator <address>', 'where the node registers: node_…@host:port')
    .option('--zone <zone>', 'legal zone of the machine, as EU or US-CA')
    .option('--location <lat,lon>', 'degrees north and east, as 52.52,13.40')
    .option('--operator <wallet>', 'address of the wallet that answers for the node')
    .action(async (flags: InitFlags, command: Command) => {
      const context = contextOf(command);
      const { config: prepared } = command.optsWithGlobals<GlobalOptions>();
      const { initNode } = await import('@helixmesh/daemon/init');
      const { network, seeded } = await networkOf(flags);
      const made = await initNode({
        dataDir: context.paths.dataDir,
        network,
        settings: settingsOf({ ...coordinatorOf(flags, seeded), ...flags }, prepared),
        settingsFile: prepared,
        nowMs: Date.now(),
      });
      const found = seeded === null ? null : seeded.list.nodes;
      answer(context, { ...made, found }, textOf(made, seeded));
    });
}

async function networkOf({ networkName, genesis, network, attest = [] }: InitFlags) {
  const isFounding = networkName !== undefined && genesis === undefined && network === undefined;
  if (isFounding) {
    return { network: { name: networkName, attestedOperators: attest }, seeded: null };
  }
  if (genesis !== undefined && networkName === undefined && attest.length === 0) {
    if (isSeedAddress(genesis)) {
      const seeded = await askedSeed(genesis, network);
      return { network: { genesis: seeded.genesis }, seeded };
    }
    if (network === undefined) return { network: { genesisFile: genesis }, seeded: null };
  }
  throw new AppError('USAGE', 'give either --network-name or --genesis', {
    hint: 'Found a network with --network-name NAME, which --attest belongs to, or join one with its network.json.',
  });
}

/** Where one registers, or asks for analyses, unless told otherwise: a node needs an operator for it. */
function coordinatorOf({ role, operator }: InitFlags, seeded: Seeded | null) {
  const [coordinator] = seeded?.list.coordinators ?? [];
  const isOfUse = role === undefined || operator !== undefined;
  return coordinator !== undefined && isOfUse ? { coordinator } : {};
}

/** What was chosen; the rest stays a comment in the file. */
function settingsOf(flags: InitFlags, prepared: string | undefined) {
  const {
    role = [],
    listen,
    listenPublic,
    endpoint,
    coordinator,
    zone,
    location,
    operator,
  } = flags;
  const hasRoles = role.length > 0;
  const chosen = {
    roles: hasRoles || prepared === undefined ? role : undefined,
    listen: listen ?? (hasRoles && prepared === undefined ? LISTEN_DEFAULT : undefined),
    ...{ listenPublic, endpoint, coordinator, zone, location, operator },
  };
  return Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== undefined));
}

function textOf(made: Initialised, seeded: Seeded | null): string {
  const { roles, dataDir, address } = made;
  const others = made.isFounded ? [`  Others join with: --genesis ${made.networkFile}`] : [];
  const next =
    address === null
      ? [`  Look at the settings: ${made.configFile}`]
      : [
          `  Look at the settings: ${made.configFile}`,
          `  Start the node:       ${typedCommand('helixmesh')} --data ${typedPath(dataDir)} up`,
          `  Its address is:       ${address}`,
        ];
  return [
    `${made.isFounded ? 'Founded' : 'Joined'} the network ${made.networkName}`,
    `  network  ${made.network}`,
    `  node     ${made.nodeId}`,
    ...(seeded === null ? [] : [`  found    ${foundText(seeded)}`]),
    `  roles    ${roles.length === 0 ? 'none: the folder of a person' : roles.join(', ')}`,
    '',
    'Next:',
    `  Keep a copy of        ${made.keyFile}: nobody can make it again`,
    ...next,
    ...others,
  ].join('\n');
}

function foundText({ list }: Seeded): string {
  const count = (role: string) =>
    list.nodes.filter(({ roles }) => roles.some((one) => one === role)).length;
  const { length: coordinators } = list.coordinators;
  return `coordinators: ${coordinators}, vaults: ${count('storage')}, compute nodes: ${count('compute')}`;
}

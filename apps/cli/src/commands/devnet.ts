import { resolve } from 'node:path';
import type { Command } from 'commander';
import { answer, type Context, contextOf } from '../context.ts';
import { PORT_DEFAULT } from '../devnet/limits.ts';
import type { PreparedNetwork, PreparedNode } from '../devnet/prepare.ts';
import type { DevnetSample } from '../devnet/sample.ts';
import { interruptible } from '../node-access.ts';
import { parseNumber } from '../parse-number.ts';
import { typedCommand, typedPath } from '../ui/as-typed.ts';
import { bold } from '../ui/style.ts';
import { table } from '../ui/table.ts';

interface Options {
  readonly nodes: number;
  readonly vaults: number;
  readonly port: number;
  readonly sample?: boolean;
  readonly start: boolean;
}

const FOLDER = 'helixmesh-devnet';
const NODES_DEFAULT = 4;

export function addDevnet(program: Command): void {
  program
    .command('devnet')
    .summary('a network on this machine, to try it out')
    .description(
      'Makes a coordinator, vaults and compute nodes, each with a data folder and an operator of its ' +
        'own, and the custodian of an owner beside them; starts each as a process on loopback, and ' +
        'says what to do next. It stays in the foreground; Ctrl-C stops all. A second time the same ' +
        'network goes on.',
    )
    .option('--nodes <n>', 'coordinator, vaults and compute nodes', parseNumber, NODES_DEFAULT)
    .option('--vaults <n>', 'how many of them are vaults', parseNumber, 1)
    .option('--port <n>', 'first of their ports; 0 takes free ones', parseNumber, PORT_DEFAULT)
    .option('--sample', 'simulate a small sample too, and give compute nodes its reference')
    .option('--no-start', 'make the folders only; start each with `up`')
    .action(async (options: Options, command: Command) => {
      const { data } = command.optsWithGlobals<{ data?: string }>();
      const context = contextOf(command, { dataDir: resolve(data ?? FOLDER) });
      const { prepareNetwork } = await import('../devnet/prepare.ts');
      const isGiven = ['nodes', 'vaults'].some(
        (name) => command.getOptionValueSource(name) === 'cli',
      );
      const { dataDir } = context.paths;
      const made = await prepareNetwork(dataDir, options, { isGiven, nowMs: Date.now() });
      const sample = options.sample ? await sampleOf(made) : null;
      if (options.start) await run(context, made, sample);
      else answer(context, viewOf(made, sample), textOf(made, sample));
    });
}

async function sampleOf({ dataDir, nodes }: PreparedNetwork): Promise<DevnetSample> {
  const { prepareSample } = await import('../devnet/sample.ts');
  return prepareSample(
    dataDir,
    nodes.filter(({ role }) => role === 'compute' || role === 'custodian'),
  );
}

/** Until Ctrl-C, or until no node is left. */
async function run(
  context: Context,
  made: PreparedNetwork,
  sample: DevnetSample | null,
): Promise<void> {
  const { startProcesses } = await import('../devnet/processes.ts');
  const say = (text: string) => process.stderr.write(`${text}\n`);
  if (!context.quiet) say(`Starting ${made.nodes.length} processes …`);
  await interruptible('The same command starts the network again.', async (signal) => {
    const { nodes } = made;
    await using processes = await startProcesses({
      nodes,
      signal,
      onEnd: ({ name, dataDir, why }) =>
        say(
          `${name} has ended (${why}). Start it again: ` +
            `${typedCommand('helixmesh')} --data ${typedPath(dataDir)} up`,
        ),
    });
    answer(context, { ...viewOf(made, sample), processes: processes.nodes }, textOf(made, sample));
    const stopped = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => stopped.resolve(), { once: true });
    if (signal.aborted) stopped.resolve();
    await Promise.race([stopped.promise, processes.allEnded]);
    if (!context.quiet && signal.aborted) say('Stopping …');
  });
}

function viewOf({ dataDir, network, nodes }: PreparedNetwork, sample: DevnetSample | null) {
  return { dataDir, network, nodes, sample };
}

function textOf(made: PreparedNetwork, sample: DevnetSample | null): string {
  const named = (role: string) => made.nodes.find((node) => node.role === role);
  const [vault, owner, compute] = [named('storage'), named('custodian'), named('compute')];
  const biofs = `${typedCommand('biofs')} --data ${typedPath(owner?.dataDir ?? '')}`;
  const files = sample === null ? 'FILE…' : `${typedPath(sample.r1)} ${typedPath(sample.r2)}`;
  return [
    bold(`The network is in ${made.dataDir}`),
    table(
      [{ title: 'NODE' }, { title: 'ROLE' }, { title: 'ZONE' }, { title: 'ADDRESS' }],
      made.nodes.map(({ name, role, zone, address }) => [name, role, zone ?? '', address]),
    ),
    '',
    'Next:',
    `  ${biofs} login --key-file ${typedPath(owner?.keyFile ?? '')}`,
    `  ${biofs} put ${files} --vault ${vault?.address}`,
    `  ${helixmeshAt(vault)} node list`,
    ...(compute === undefined ? [] : analysisText(made, { sample, compute, biofs })),
  ].join('\n');
}

interface Analysis {
  readonly sample: DevnetSample | null;
  readonly compute: PreparedNode;
  /** How the owner calls it. */
  readonly biofs: string;
}

function analysisText({ nodes }: PreparedNetwork, { sample, compute, biofs }: Analysis): string[] {
  const reference = sample?.reference ?? 'NAME';
  const coordinator = nodes.find(({ role }) => role === 'coordinator');
  return [
    '  # A compute node is available when it has analysed a made genome, after a minute or so.',
    ...(sample === null
      ? [
          `  ${helixmeshAt(compute)} reference add NAME --fasta ref.fa   # each compute node, and the owner`,
        ]
      : []),
    `  ${biofs} analyze R1 R2 --reference ${reference} --max-price 1.00 --wait \\`,
    `      --coordinator ${coordinator?.address}`,
    '  # R1 and R2 are the datasets that `put` tells; the job is the one that `analyze` tells.',
    `  ${biofs} result JOB --out result`,
  ];
}

function helixmeshAt(node: PreparedNode | undefined): string {
  return `${typedCommand('helixmesh')} --data ${typedPath(node?.dataDir ?? '')}`;
}

/** A vault and a person for the benchmarks of the data plane: processes, as people run them. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  commandOf,
  peakMemory,
  startCommand,
  stopCommand,
  type Took,
  timed,
  untilSaid,
} from '../support/commands.ts';

export interface BenchNetwork {
  readonly vaultAddress: string;
  /** Largest resident memory of the vault since it was asked last, bytes. */
  vaultPeakBytes(): number;
  /** Runs `biofs` as the person. */
  biofs(args: readonly string[]): Promise<Took>;
  close(): Promise<void>;
}

/** One vault and one person without a custodian, below `folder`. */
export async function startBenchNetwork(folder: string): Promise<BenchNetwork> {
  const at = (name: string) => join(folder, name);
  const local = ['--listen', '127.0.0.1:0'];
  const node = ['init', '--role', 'storage', '--network-name', 'bench', ...local];
  await timed(commandOf('helixmesh', at('vault'), node));
  const vault = startCommand(commandOf('helixmesh', at('vault'), ['up']));
  const [, vaultAddress = ''] = await untilSaid(vault, /^Address: (node_\S+)$/m);
  await writeFile(at('key'), `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  const genesis = ['--genesis', join(at('vault'), 'network.json')];
  const biofs = (args: readonly string[]) => timed(commandOf('biofs', at('person'), args));
  await biofs(['login', '--key-file', at('key'), ...genesis]);
  return {
    vaultAddress,
    vaultPeakBytes: () => peakMemory(vault.pid),
    biofs,
    close: () => stopCommand(vault),
  };
}

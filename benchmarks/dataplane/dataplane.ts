/**
 * The data plane against plain tools, in pairs whose order turns round: storing a file beside
 * `sha256sum` and `cp`, fetching it beside `curl` over TLS from nginx, the same over a line with delay;
 * and memory at a large file, and many small files.
 *
 *   bash scripts/node.sh benchmarks/dataplane/dataplane.ts [--mib 256] [--pairs 5] [--delay-ms 100]
 *     [--memory-mib 10240] [--files 10000] [--only put,download,delay,memory,files] [--folder DIR]
 */
import { randomBytes, randomInt } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { timed } from '../support/commands.ts';
import { loadOfMinute, spreadOf } from '../support/figures.ts';
import { type BenchNetwork, startBenchNetwork } from './bench-network.ts';
import { startDelayProxy } from './delay-proxy.ts';
import { startNginx } from './nginx.ts';

const PARTS = ['put', 'download', 'delay', 'memory', 'files'] as const;
const { values } = parseArgs({
  options: {
    mib: { type: 'string', default: '256' },
    pairs: { type: 'string', default: '5' },
    'delay-ms': { type: 'string', default: '100' },
    'memory-mib': { type: 'string', default: '10240' },
    files: { type: 'string', default: '10000' },
    only: { type: 'string', default: PARTS.join(',') },
    folder: { type: 'string', default: tmpdir() },
  },
});
const mib = Number(values.mib);
const pairs = Number(values.pairs);
const only = new Set(values.only.split(','));
const folder = mkdtempSync(join(values.folder, 'helixmesh-dataplane-'));
const at = (name: string) => join(folder, name);
mkdirSync(at('files'));

type Side = () => Promise<number>;

const load = () => `load ${loadOfMinute().toFixed(1)}`;
const say = (line: string) => process.stdout.write(`${line}\n`);
const mibOf = (bytes: number) => (bytes / 2 ** 20).toFixed(0);

const network = await startBenchNetwork(folder);
try {
  say(`${mib} MiB, ${pairs} pairs, ${load()}`);
  const needsFile = ['put', 'download', 'delay'].some((part) => only.has(part));
  if (needsFile) await randomFile('files/data', mib);
  if (only.has('put')) await inPairs('put', { ours: put, plain: copy });
  if (only.has('download') || only.has('delay')) await fetching(network);
  if (only.has('memory')) await memory(network, Number(values['memory-mib']));
  if (only.has('files')) await manyFiles(network, Number(values.files));
  say(load());
} finally {
  await network.close();
  rmSync(folder, { recursive: true, force: true });
}

/** Sealed anew each time: otherwise the second `put` would only compare. */
async function put(): Promise<number> {
  const args = ['put', at('files/data'), '--vault', network.vaultAddress, '--anew'];
  return (await network.biofs(args)).ms;
}

/** The digest, and a copy that is durable, as the vault's is. */
async function copy(): Promise<number> {
  const script = 'sha256sum "$0" > "$1.sha256"; cp "$0" "$1"; sync "$1"';
  const args = ['-ec', script, at('files/data'), at('copy')];
  const { ms } = await timed({ program: 'bash', args });
  rmSync(at('copy'));
  return ms;
}

async function fetching({ biofs, vaultAddress }: BenchNetwork): Promise<void> {
  const [done] = JSON.parse(
    (await biofs(['put', at('files/data'), '--vault', vaultAddress])).stdout,
  );
  const nginx = await startNginx(at('nginx'), at('files'));
  const curl = (port: number) => async () => {
    const url = `https://127.0.0.1:${port}/data`;
    const script = 'curl -sS --fail --insecure --tlsv1.3 -o "$1" "$0"; sync "$1"';
    return (await timed({ program: 'bash', args: ['-ec', script, url, at('curled')] })).ms;
  };
  const download = (dataset: string) => async () => {
    const args = ['download', dataset, '--out', at('downloaded'), '--force', '--connections', '8'];
    return (await biofs(args)).ms;
  };
  try {
    if (only.has('download')) {
      const sides = { ours: download(done.dataset), plain: curl(nginx.port) };
      await inPairs('download, curl from nginx', sides);
    }
    if (only.has('delay')) await delayed({ biofs, vaultAddress }, nginx.port, { curl, download });
  } finally {
    await nginx.close();
  }
}

/** The same through a line with delay, which each side has of its own. */
async function delayed(
  { biofs, vaultAddress }: Pick<BenchNetwork, 'biofs' | 'vaultAddress'>,
  nginxPort: number,
  sides: {
    readonly curl: (port: number) => Side;
    readonly download: (dataset: string) => Side;
  },
): Promise<void> {
  const roundTripMs = Number(values['delay-ms']);
  const [node = '', endpoint = ''] = vaultAddress.split('@');
  const toVault = await startDelayProxy(Number(endpoint.split(':')[1]), roundTripMs);
  const toNginx = await startDelayProxy(nginxPort, roundTripMs);
  try {
    const far = `${node}@127.0.0.1:${toVault.port}`;
    const args = ['put', at('files/data'), '--vault', far, '--anew'];
    const { ms, stdout } = await biofs(args);
    say(`put at ${roundTripMs} ms of delay: ${(mib / (ms / 1_000)).toFixed(1)} MiB/s`);
    const [{ dataset }] = JSON.parse(stdout);
    const pair = { ours: sides.download(dataset), plain: sides.curl(toNginx.port) };
    await inPairs(`download at ${roundTripMs} ms of delay`, pair);
  } finally {
    toVault.close();
    toNginx.close();
  }
}

async function memory({ biofs, vaultAddress, vaultPeakBytes }: BenchNetwork, sizeMib: number) {
  await randomFile('large', sizeMib);
  const stored = await biofs(['put', at('large'), '--vault', vaultAddress]);
  const [{ dataset }] = JSON.parse(stored.stdout);
  rmSync(at('large'));
  const fetched = await biofs(['download', dataset, '--out', at('fetched')]);
  rmSync(at('fetched'));
  const peaks = [stored.peakBytes, fetched.peakBytes, vaultPeakBytes()].map(mibOf);
  say(`memory at ${sizeMib} MiB: put ${peaks[0]}, download ${peaks[1]}, vault ${peaks[2]} MiB`);
}

async function manyFiles({ biofs, vaultAddress }: BenchNetwork, count: number): Promise<void> {
  mkdirSync(at('many'));
  for (let i = 0; i < count; i += 1) {
    writeFileSync(join(at('many'), `f${i}.txt`), randomBytes(randomInt(1, 4_096)));
  }
  const first = await biofs(['put', at('many'), '--vault', vaultAddress]);
  const again = await biofs(['put', at('many'), '--vault', vaultAddress]);
  const list = await biofs(['ls']);
  const seconds = [first, again, list].map(({ ms }) => (ms / 1_000).toFixed(1));
  const rate = (count / (first.ms / 1_000)).toFixed(0);
  say(
    `${count} small files: put ${seconds[0]} s (${rate}/s), again ${seconds[1]} s, ls ${seconds[2]} s; ` +
      `memory of put ${mibOf(first.peakBytes)} MiB`,
  );
}

/** Each pair's ratio is what counts: the machine changes under both alike. */
async function inPairs(
  title: string,
  { ours, plain }: { readonly ours: Side; readonly plain: Side },
): Promise<void> {
  const ratios: number[] = [];
  const rates: string[] = [];
  for (let pair = 0; pair < pairs; pair += 1) {
    const isOursFirst = pair % 2 === 0;
    const first = await (isOursFirst ? ours : plain)();
    const second = await (isOursFirst ? plain : ours)();
    const [oursMs, plainMs] = isOursFirst ? [first, second] : [second, first];
    ratios.push(oursMs / plainMs);
    rates.push([oursMs, plainMs].map((ms) => (mib / (ms / 1_000)).toFixed(1)).join(' | '));
  }
  const { median } = spreadOf(ratios);
  say(`${title}: time of ours ÷ plain ${median.toFixed(2)}, pairs ${shown(ratios)}; ${load()}`);
  say(`  MiB/s ours | plain: ${rates.join(', ')}`);
}

function shown(ratios: readonly number[]): string {
  return ratios.map((ratio) => ratio.toFixed(2)).join(' ');
}

/** Bytes that do not compress, written in pieces. */
async function randomFile(name: string, sizeMib: number): Promise<void> {
  const file = await open(at(name), 'wx');
  const piece = randomBytes(2 ** 20);
  for (let i = 0; i < sizeMib; i += 1) {
    // A new megabyte each: equal ones would be one block of the vault.
    piece.writeUInt32LE(i, randomInt(0, 1_000));
    randomBytes(64).copy(piece, 64 * (i % 1_000));
    await file.write(piece);
  }
  await file.sync();
  await file.close();
}

/**
 * Throughput of sealing and opening a body, beside `sha256sum` of the same bytes: each walks all of
 * them once. Sides take turns, and CPU time is told beside wall time, for the machine may be busy.
 *
 *   bash scripts/node.sh benchmarks/sealing/sealing.ts [--mib 64] [--rounds 5]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { portableCrypto } from '@helixmesh/protocol/browser';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  bodyBytesOf,
  buildSegmentTree,
  type Crypto,
  decryptBody,
  decryptObject,
  digestFrom,
  encryptBody,
  openWithAny,
  segmentTag,
} from '@helixmesh/protocol/sealing';

const { values } = parseArgs({
  options: { mib: { type: 'string', default: '64' }, rounds: { type: 'string', default: '5' } },
});
const mib = Number(values.mib);
const plaintext = nodeCrypto.random(mib * 2 ** 20);
const key = nodeCrypto.random(32);
const network = digestFrom(nodeCrypto.random(32));
const folder = mkdtempSync(join(tmpdir(), 'helixmesh-bench-'));
const file = join(folder, 'plaintext');
writeFileSync(file, plaintext);

const body = new Uint8Array(bodyBytesOf(plaintext.length));
const tree = buildSegmentTree(nodeCrypto);
let filled = 0;
for await (const segment of encryptBody(nodeCrypto, chunks(plaintext), () => key)) {
  body.set(segment, filled);
  filled += segment.length;
  tree.append(segmentTag(segment));
}
const facts = { network, plaintextBytes: plaintext.length, segments: tree.root(network) };

/** A side that runs elsewhere says how much CPU time it took, s. */
const sides: Readonly<Record<string, () => Promise<void> | void | number>> = {
  'sha256sum of the file': sha256sum,
  'sha256 in this process': () => void nodeCrypto.sha256(plaintext),
  'seal a body': () => drain(encryptBody(nodeCrypto, chunks(plaintext), () => key)),
  'seal a body and build its tree': sealWithTree,
  'open a body': () => drain(opened(nodeCrypto)),
  'open a body and check its tree': () =>
    drain(decryptObject(nodeCrypto, facts, chunks(body), { open: openWithAny(nodeCrypto, [key]) })),
  'open a body, portable twin': () => drain(opened(portableCrypto)),
};

const rates = new Map<string, { wall: number[]; cpu: number[] }>();
process.stdout.write(`${mib} MiB, ${values.rounds} rounds, load ${loadavg()[0]?.toFixed(1)}\n`);
for (let round = 0; round < Number(values.rounds); round += 1) {
  for (const [name, side] of Object.entries(sides)) {
    const started = performance.now();
    const before = process.cpuUsage();
    const elsewhereS = await side();
    const { user, system } = process.cpuUsage(before);
    const rate = rates.get(name) ?? { wall: [], cpu: [] };
    rate.wall.push(mib / ((performance.now() - started) / 1000));
    rate.cpu.push(mib / (elsewhereS ?? (user + system) / 1e6));
    rates.set(name, rate);
  }
}
process.stdout.write(
  `${'median (least–most), MiB per second of'.padEnd(40)} wall time | CPU time\n`,
);
for (const [name, { wall, cpu }] of rates) {
  process.stdout.write(`${name.padEnd(40)} ${spread(wall)} | ${spread(cpu)}\n`);
}
process.stdout.write(`load ${loadavg()[0]?.toFixed(1)}\n`);
rmSync(folder, { recursive: true });

function spread(all: readonly number[]): string {
  const sorted = all.toSorted((a, b) => a - b).map((rate) => rate.toFixed(0));
  return `${sorted[Math.floor(sorted.length / 2)]} (${sorted[0]}–${sorted.at(-1)})`;
}

function sha256sum(): number {
  const script = 'TIMEFORMAT="%U %S"; { time sha256sum "$0" > /dev/null; } 2>&1';
  const times = execFileSync('bash', ['-c', script, file], { encoding: 'utf8' });
  return times.split(' ').reduce((sum, seconds) => sum + Number(seconds), 0);
}

async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 2 ** 20) yield bytes.subarray(at, at + 2 ** 20);
}

function opened(crypto: Crypto): AsyncGenerator<Uint8Array> {
  return decryptBody(chunks(body), { open: openWithAny(crypto, [key]) });
}

async function sealWithTree(): Promise<void> {
  const built = buildSegmentTree(nodeCrypto);
  for await (const segment of encryptBody(nodeCrypto, chunks(plaintext), () => key)) {
    built.append(segmentTag(segment));
  }
  built.root(network);
}

async function drain(source: AsyncGenerator<Uint8Array>): Promise<void> {
  for await (const _ of source);
}

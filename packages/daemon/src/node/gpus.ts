/**
 * The GPUs of this machine as `nvidia-smi` tells them, in its order (by bus address), which stays the
 * same while the machine runs. A machine without it has none.
 */
import { execFile } from 'node:child_process';
import { GPUS_MAX, VRAM_MAX_BYTES } from '@helixmesh/scheduler';

export interface Gpu {
  readonly model: string;
  readonly vramBytes: number;
  readonly freeVramBytes: number;
  readonly utilizationPercent: number;
}

/** A driver that does not answer within this time hangs. */
const PROBE_TIMEOUT_MS = 10_000;
const PROBE_OUTPUT_MAX_BYTES = 64 * 1024;
const MODEL_MAX_CHARS = 100;
const NOT_PRINTABLE = /[^\x20-\x7e]/g;
const MIB = 2 ** 20;
const QUERY = 'memory.total,memory.free,utilization.gpu,name';

/** Empty where there is no `nvidia-smi`, or where it finds no driver or does not answer. */
export async function probeGpus(env: NodeJS.ProcessEnv = process.env): Promise<readonly Gpu[]> {
  const args = [`--query-gpu=${QUERY}`, '--format=csv,noheader,nounits'];
  const options = {
    timeout: PROBE_TIMEOUT_MS,
    maxBuffer: PROBE_OUTPUT_MAX_BYTES,
    killSignal: 'SIGKILL',
    env: { PATH: env['PATH'], LC_ALL: 'C' },
  } as const;
  const { promise, resolve } = Promise.withResolvers<string>();
  execFile('nvidia-smi', args, options, (error, stdout) => resolve(error === null ? stdout : ''));
  return parseGpus(await promise);
}

/** The rows of `nvidia-smi`; sizes there are MiB. A row without the memory's size is left out. */
export function parseGpus(csv: string): readonly Gpu[] {
  return csv
    .split('\n')
    .flatMap((row) => gpuOf(row) ?? [])
    .slice(0, GPUS_MAX);
}

function gpuOf(row: string): Gpu | null {
  // The name comes last: it may hold a comma.
  const [total = '', free = '', utilization = '', ...name] = row.split(',');
  const model = name.join(',').replace(NOT_PRINTABLE, '').trim().slice(0, MODEL_MAX_CHARS).trim();
  const vramBytes = wholeOf(total) * MIB;
  if (model === '' || vramBytes === 0) return null;
  return {
    model,
    vramBytes: Math.min(vramBytes, VRAM_MAX_BYTES),
    freeVramBytes: Math.min(wholeOf(free) * MIB, vramBytes, VRAM_MAX_BYTES),
    utilizationPercent: Math.min(wholeOf(utilization), 100),
  };
}

/** 0 for `[N/A]`, `[Not Supported]` and `[Insufficient Permissions]`. */
function wholeOf(text: string): number {
  const digits = text.trim();
  return /^\d{1,9}$/.test(digits) ? Number(digits) : 0;
}

/**
 * The Restate server as a child process, from the binary that its npm package ships.
 *
 * It listens on unix sockets inside the data folder alone (mode 0700), keeps its log and state
 * there, signs its requests to our handlers with a key made once, and sends no telemetry.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '@helixmesh/protocol';
import { writeProcessRecord } from '../supervision/process-record.ts';
import { type EngineAddress, engineRequest } from './engine-http.ts';
import {
  INVOKER_LIMIT_VARIABLES,
  PARTITIONS,
  ROCKSDB_MEMORY,
  SERVER_POLL_MS,
  SERVER_START_TIMEOUT_MS,
  SERVER_STOP_TIMEOUT_MS,
} from './limits.ts';
import { killStaleServers } from './stale-process.ts';

export interface EngineAddresses {
  readonly ingress: EngineAddress;
  readonly admin: EngineAddress;
}

export interface RestateServer extends EngineAddresses {
  readonly pid: number;
  /** Resolves when the process has ended, whatever the reason. */
  readonly exited: Promise<void>;
  stop(): Promise<void>;
}

const NODE_NAME = 'n';
const PROGRAM = 'restate-server';

/** Where a server under `baseDir` listens. */
export function addressesUnder(baseDir: string): EngineAddresses {
  const nodeDir = join(baseDir, NODE_NAME);
  return {
    ingress: `unix:${join(nodeDir, 'ingress.sock')}`,
    admin: `unix:${join(nodeDir, 'admin.sock')}`,
  };
}

/** Ends the server that a killed daemon has left over `baseDir`, if any. */
export async function endStaleServer(baseDir: string): Promise<void> {
  const recordPath = pidFileOf(baseDir);
  await killStaleServers({ recordPath, program: PROGRAM, argument: baseDir });
}

function pidFileOf(baseDir: string): string {
  return join(baseDir, 'server.pid');
}

/**
 * Starts the server over `baseDir` (a path short enough for socket names) and waits until it
 * answers. A server that an earlier, killed daemon left behind is ended first: it holds the lock.
 */
export async function startRestateServer(baseDir: string): Promise<RestateServer> {
  await mkdir(baseDir, { recursive: true, mode: 0o700 });
  await endStaleServer(baseDir);
  const child = await spawnServer(baseDir);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const pid = child.pid;
  if (pid === undefined) throw engineFailed(baseDir);
  await writeProcessRecord(pidFileOf(baseDir), pid);
  const addresses = addressesUnder(baseDir);
  try {
    await ready(addresses, child, baseDir);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return { ...addresses, pid, exited, stop: () => stop(child, exited) };
}

async function spawnServer(baseDir: string): Promise<ChildProcess> {
  const log = await open(join(baseDir, 'server.log'), 'a', 0o600);
  try {
    return spawn(
      serverBinary(),
      ['--no-logo', '--listen-mode', 'unix', '--node-name', NODE_NAME, '--base-dir', baseDir],
      {
        cwd: baseDir,
        stdio: ['ignore', log.fd, log.fd],
        env: {
          PATH: process.env['PATH'],
          TMPDIR: baseDir,
          DO_NOT_TRACK: '1',
          RESTATE_DISABLE_TELEMETRY: 'true',
          RESTATE_CLUSTER_NAME: 'helixmesh',
          RESTATE_DEFAULT_NUM_PARTITIONS: String(PARTITIONS),
          RESTATE_ROCKSDB_TOTAL_MEMORY_SIZE: ROCKSDB_MEMORY,
          RESTATE_LOG_FORMAT: 'json',
          RESTATE_LOG_FILTER: 'warn',
          RESTATE_WORKER__INVOKER__REQUEST_IDENTITY_PRIVATE_KEY_PEM_FILE:
            await identityKeyFile(baseDir),
          ...invokerLimits(process.env),
        },
      },
    );
  } finally {
    await log.close();
  }
}

/** After how long a silent invocation is suspended and cut off; the server's defaults if unset. */
function invokerLimits(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    INVOKER_LIMIT_VARIABLES.flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** The binary of this platform's package, without the JavaScript wrapper around it. */
function serverBinary(): string {
  const platform = `@restatedev/restate-server-${process.platform}-${process.arch}`;
  const require = createRequire(
    createRequire(import.meta.url).resolve('@restatedev/restate-server/package.json'),
  );
  try {
    return join(dirname(require.resolve(`${platform}/package.json`)), 'bin', PROGRAM);
  } catch (cause) {
    throw new AppError(
      'TOOL_MISSING',
      `no Restate server for ${process.platform} ${process.arch}`,
      {
        hint: 'Use Linux x64/arm64 or macOS, or give the URL of a Restate server in the configuration.',
        cause,
      },
    );
  }
}

async function ready(
  { ingress, admin }: EngineAddresses,
  child: ChildProcess,
  baseDir: string,
): Promise<void> {
  const deadline = performance.now() + SERVER_START_TIMEOUT_MS;
  while (performance.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) throw engineFailed(baseDir);
    const up = await Promise.all([healthy(admin, '/health'), healthy(ingress, '/restate/health')]);
    if (up.every(Boolean)) return;
    await delay(SERVER_POLL_MS);
  }
  throw engineFailed(baseDir);
}

async function healthy(address: EngineAddress, path: string): Promise<boolean> {
  try {
    return (await engineRequest(address, { method: 'GET', path })).status === 200;
  } catch {
    // Not listening yet: the caller looks again until its deadline.
    return false;
  }
}

function engineFailed(baseDir: string): AppError {
  return new AppError('ENGINE_UNAVAILABLE', 'the Restate server did not start', {
    hint: `Read ${join(baseDir, 'server.log')}; the disk may be full or the folder in use.`,
  });
}

async function stop(child: ChildProcess, exited: Promise<void>): Promise<void> {
  child.kill('SIGTERM');
  const kill = setTimeout(() => child.kill('SIGKILL'), SERVER_STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(kill);
}

/** Private key with which the server signs its calls; made once, 0600. */
async function identityKeyFile(baseDir: string): Promise<string> {
  const path = join(baseDir, 'identity.pem');
  if (!existsSync(path)) {
    const { privateKey } = generateKeyPairSync('ed25519');
    const pem = privateKey.export({ format: 'pem', type: 'pkcs8' });
    await writeFile(`${path}.new`, pem, { mode: 0o600 });
    await rename(`${path}.new`, path);
  }
  return path;
}

/** The key in Restate's own notation (`publickeyv1_` + base58), for the handler endpoint. */
export async function identityPublicKey(baseDir: string): Promise<string> {
  const { createPublicKey } = await import('node:crypto');
  const der = createPublicKey(await readFile(await identityKeyFile(baseDir))).export({
    format: 'der',
    type: 'spki',
  });
  return `publickeyv1_${base58(der.subarray(-32))}`;
}

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

function base58(bytes: Uint8Array): string {
  let value = 0n;
  for (const byte of bytes) value = value * 256n + BigInt(byte);
  let text = '';
  for (; value > 0n; value /= 58n) text = BASE58[Number(value % 58n)] + text;
  for (const byte of bytes) {
    if (byte !== 0) break;
    text = `1${text}`;
  }
  return text;
}

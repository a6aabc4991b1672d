/**
 * The nodes of a network on one machine as processes. None is started again when it ends: whoever
 * runs such a network wants to see that, and to start it themselves.
 *
 * P1  A node ends with this process, however this one ends: its standard input ends then.
 * P2  Stopping asks all at once, waits, and kills what is left.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { AppError } from '@helixmesh/protocol';
import { SAID_CHARS_MAX, START_MS_MAX, STOP_MS_MAX } from './limits.ts';

export interface StartedNode {
  readonly name: string;
  readonly pid: number;
}

/** How a node has ended that nobody had asked to. */
export interface EndedNode {
  readonly name: string;
  readonly dataDir: string;
  /** `exit 70` or `SIGKILL`, and the last thing that it said. */
  readonly why: string;
}

export interface Processes extends AsyncDisposable {
  readonly nodes: readonly StartedNode[];
  /** Resolves when all have ended. */
  readonly allEnded: Promise<void>;
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly nodes: readonly { readonly name: string; readonly dataDir: string }[];
  readonly onEnd: (ended: EndedNode) => void;
  readonly signal: AbortSignal;
}

/** Starts all and answers when all are up. Throws DAEMON_UNREACHABLE, with nothing left running. */
export async function startProcesses({ nodes, onEnd, signal }: StartOptions): Promise<Processes> {
  let isStopping = false;
  const children = nodes.map((node) => {
    const child = startOne(node.dataDir);
    const closed = once(child.process, 'close').then(() => {
      if (!isStopping) onEnd({ ...node, why: child.why() });
    });
    return { ...child, ...node, closed };
  });
  const allEnded = Promise.all(children.map(({ closed }) => closed)).then(() => undefined);
  const stop = async () => {
    isStopping = true;
    for (const { process } of children) process.kill('SIGTERM');
    const late = setTimeout(() => {
      for (const { process } of children) process.kill('SIGKILL');
    }, STOP_MS_MAX);
    await allEnded;
    clearTimeout(late);
  };
  try {
    await Promise.all(
      children.map(({ isUp, name, why }) => waitUntilUp(isUp, { name, why, signal })),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  const started = children.map(({ name, process }) => ({ name, pid: process.pid ?? 0 }));
  return { nodes: started, allEnded, stop, [Symbol.asyncDispose]: stop };
}

interface One {
  readonly process: ChildProcess;
  /** Rejects when it ends before. */
  readonly isUp: Promise<void>;
  why(): string;
}

function startOne(dataDir: string): One {
  const [, program = ''] = process.argv;
  const args = [...process.execArgv, program, '--data', dataDir, 'up', '--until-input-ends'];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'pipe'] });
  // It ended before its input did: P1 needs nothing more.
  child.stdin.on('error', () => undefined);
  let said = '';
  const up = Promise.withResolvers<void>();
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(-SAID_CHARS_MAX);
    if (said.includes('helixmesh is up.')) up.resolve();
  });
  const why = () => {
    const how = child.signalCode ?? `exit ${child.exitCode}`;
    const error = /^error: (.*)$/m.exec(said)?.[1];
    return error === undefined ? how : `${how}: ${error}`;
  };
  child.once('error', up.reject);
  child.once('close', () => up.reject(ended(why())));
  up.promise.catch(() => undefined); // Told to whoever waits for it.
  return { process: child, isUp: up.promise, why };
}

function ended(why: string): AppError {
  return new AppError('DAEMON_UNREACHABLE', `it has ended: ${why}`, {
    hint: 'Start it alone with `helixmesh --data … up` to see more.',
  });
}

/** Throws DAEMON_UNREACHABLE naming the node. */
async function waitUntilUp(
  isUp: Promise<void>,
  { name, signal }: { readonly name: string; readonly signal: AbortSignal; why(): string },
): Promise<void> {
  const late = AbortSignal.any([signal, AbortSignal.timeout(START_MS_MAX)]);
  const given = Promise.withResolvers<never>();
  const giveUp = () => given.reject(late.reason);
  late.addEventListener('abort', giveUp, { once: true });
  try {
    late.throwIfAborted();
    await Promise.race([isUp, given.promise]);
  } catch (cause) {
    const { message } = AppError.from(cause);
    throw new AppError('DAEMON_UNREACHABLE', `${name} has not started: ${message}`, {
      hint: 'Read node.log in its folder; --port gives other ports.',
      cause,
    });
  } finally {
    late.removeEventListener('abort', giveUp);
  }
}

/** Where a node keeps its things, all under one data folder. */
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { AppError } from '@helixmesh/protocol';
import { SOCKET_PATH_MAX_BYTES } from '../restate/limits.ts';

export interface NodePaths {
  readonly dataDir: string;
  readonly database: string;
  readonly storeRoot: string;
  readonly scratchRoot: string;
  readonly referenceRoot: string;
  readonly restateDir: string;
  readonly apiSocket: string;
  readonly lockFile: string;
  readonly logFile: string;
  /** Sealed objects of others. */
  readonly vaultRoot: string;
  /** Attempts at analyses of others, and canaries. */
  readonly computeRoot: string;
  /** Sealed bodies that were fetched for them, and can be fetched again. */
  readonly bodyCache: string;
  /** The genesis document of the network that the folder belongs to. */
  readonly networkFile: string;
}

/** `$HELIXMESH_DATA`, else the XDG data folder of the user. */
export function defaultDataDir(env: NodeJS.ProcessEnv = process.env): string {
  const chosen = env['HELIXMESH_DATA'];
  if (chosen !== undefined && chosen !== '') return resolve(chosen);
  const home = env['XDG_DATA_HOME'] || join(homedir(), '.local', 'share');
  return join(home, 'helixmesh');
}

export function nodePaths(dataDir: string): NodePaths {
  const root = resolve(dataDir);
  return {
    dataDir: root,
    database: join(root, 'helixmesh.sqlite'),
    storeRoot: join(root, 'store'),
    scratchRoot: join(root, 'scratch'),
    referenceRoot: join(root, 'references'),
    restateDir: join(shortRoot(root), 'restate'),
    apiSocket: join(shortRoot(root), 'api.sock'),
    lockFile: join(root, 'node.lock'),
    logFile: join(root, 'node.log'),
    vaultRoot: join(root, 'vault'),
    computeRoot: join(root, 'compute'),
    bodyCache: join(root, 'compute', 'cache'),
    networkFile: join(root, 'network.json'),
  };
}

/** The longest socket name below the data folder. */
const LONGEST_SOCKET = '/restate/n/ingress.sock';

/**
 * The data folder, or where its path is too long for socket names a link to it from a private
 * folder of ours under the temporary one.
 */
function shortRoot(root: string): string {
  if (Buffer.byteLength(root + LONGEST_SOCKET) <= SOCKET_PATH_MAX_BYTES) return root;
  const uid = process.getuid?.() ?? 0;
  const folder = join(tmpdir(), `helixmesh-${uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== uid || (found.mode & 0o077) !== 0) {
    throw new AppError('CONFIG_INVALID', `${folder} is not a private folder of yours`, {
      hint: `Remove ${folder}, or choose a shorter --data path.`,
    });
  }
  const link = join(folder, createHash('sha256').update(root).digest('hex').slice(0, 12));
  if (existsSync(link) && readlinkSync(link) === root) return link;
  try {
    unlinkSync(link);
  } catch {
    // There was none.
  }
  symlinkSync(root, link);
  return link;
}

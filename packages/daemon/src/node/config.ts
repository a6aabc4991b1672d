/**
 * Configuration: defaults, then the TOML file, then the environment, then flags; validated once and
 * frozen. Every value remembers where it came from.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { AppError } from '@helixmesh/protocol';
import { parse as parseToml } from 'smol-toml';
import { z } from 'zod';
import { defaultDataDir } from './paths.ts';

const engineUrl = z.url({ protocol: /^https?$/ });

const configSchema = z.strictObject({
  /** Everything the node keeps. */
  dataDir: z.string().min(1),
  /** Cores that all tools together may use. */
  cores: z.coerce.number().int().min(1).max(1024),
  /** Multiplies the memory, processes and disk that a tool may use. */
  limitsFactor: z.coerce.number().min(0.1).max(1000),
  logLevel: z.enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace']),
  /** A Restate server of your own instead of the embedded one: both URLs or neither. */
  restateIngressUrl: engineUrl.nullable(),
  restateAdminUrl: engineUrl.nullable(),
  /** Public key (`publickeyv1_…`) with which that server signs its calls. */
  restateIdentityKey: z.string().startsWith('publickeyv1_').nullable(),
});
export type NodeConfig = Readonly<z.infer<typeof configSchema>>;
export type ConfigKey = keyof NodeConfig;

export interface LoadedConfig {
  readonly config: NodeConfig;
  /** `default`, `file PATH`, `environment NAME` or `flag`. */
  readonly origins: Readonly<Record<ConfigKey, string>>;
}

export interface ConfigSources {
  readonly file?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly flags: Partial<Record<ConfigKey, unknown>>;
}

const ENVIRONMENT: Readonly<Record<ConfigKey, string>> = {
  dataDir: 'HELIXMESH_DATA',
  cores: 'HELIXMESH_CORES',
  limitsFactor: 'HELIXMESH_LIMITS_FACTOR',
  logLevel: 'HELIXMESH_LOG_LEVEL',
  restateIngressUrl: 'HELIXMESH_RESTATE_INGRESS_URL',
  restateAdminUrl: 'HELIXMESH_RESTATE_ADMIN_URL',
  restateIdentityKey: 'HELIXMESH_RESTATE_IDENTITY_KEY',
};

/** Keys as they stand in the file, table by table. */
const FILE_KEYS: Readonly<Record<ConfigKey, readonly [table: string, key: string]>> = {
  dataDir: ['node', 'data_dir'],
  cores: ['node', 'cores'],
  limitsFactor: ['sandbox', 'limits_factor'],
  logLevel: ['log', 'level'],
  restateIngressUrl: ['restate', 'ingress_url'],
  restateAdminUrl: ['restate', 'admin_url'],
  restateIdentityKey: ['restate', 'identity_key'],
};

const KEYS = Object.keys(FILE_KEYS) as ConfigKey[];

/** Throws CONFIG_INVALID naming the value and its origin. */
export function loadConfig({ file, env, flags }: ConfigSources): LoadedConfig {
  const values: Partial<Record<ConfigKey, unknown>> = {
    dataDir: defaultDataDir({ ...env, HELIXMESH_DATA: '' }),
    cores: availableParallelism(),
    limitsFactor: 1,
    logLevel: 'info',
    restateIngressUrl: null,
    restateAdminUrl: null,
    restateIdentityKey: null,
  };
  const origins = Object.fromEntries(KEYS.map((key) => [key, 'default'])) as Record<
    ConfigKey,
    string
  >;
  const fromFile = file === undefined ? {} : readConfigFile(file);
  for (const key of KEYS) {
    const set = (value: unknown, origin: string) => {
      if (value === undefined || value === '') return;
      values[key] = value;
      origins[key] = origin;
    };
    set(fromFile[key], `file ${file}`);
    set(env[ENVIRONMENT[key]], `environment ${ENVIRONMENT[key]}`);
    set(flags[key], 'flag');
  }
  const parsed = configSchema.safeParse(values);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const key = issue?.path[0] as ConfigKey | undefined;
    const where = key === undefined ? '' : ` ${key} (from ${origins[key]})`;
    throw invalid(`bad configuration value${where}: ${issue?.message ?? 'unknown'}`);
  }
  const config = parsed.data;
  if ((config.restateIngressUrl === null) !== (config.restateAdminUrl === null)) {
    throw invalid('restate.ingress_url and restate.admin_url must be given together');
  }
  return { config: Object.freeze({ ...config, dataDir: resolve(config.dataDir) }), origins };
}

function readConfigFile(path: string): Partial<Record<ConfigKey, unknown>> {
  const tables = parseFile(path);
  const known = new Set(Object.values(FILE_KEYS).map((pair) => pair.join('.')));
  const found: Partial<Record<ConfigKey, unknown>> = {};
  for (const [table, content] of Object.entries(tables)) {
    for (const key of Object.keys(content as object)) {
      if (!known.has(`${table}.${key}`)) {
        throw invalid(
          `unknown setting ${table}.${key} in ${path}; known: ${[...known].join(', ')}`,
        );
      }
    }
  }
  for (const key of KEYS) {
    const [table, name] = FILE_KEYS[key];
    found[key] = (tables[table] as Record<string, unknown> | undefined)?.[name];
  }
  return found;
}

function parseFile(path: string): Record<string, unknown> {
  try {
    return parseToml(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new AppError('CONFIG_INVALID', `cannot read ${path}: ${(cause as Error).message}`, {
      hint: 'Give a TOML file with --config.',
      cause,
    });
  }
}

function invalid(message: string): AppError {
  return new AppError('CONFIG_INVALID', message, {
    hint: 'See `helixmesh config print` for each value and its origin.',
  });
}

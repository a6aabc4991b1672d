/**
 * Configuration: defaults, then the TOML file, then the environment, then flags; validated once and
 * frozen. Every value remembers where it came from.
 *
 * The file is the one that is named, else `node.toml` of the data folder, if there is one.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AppError } from '@helixmesh/protocol';
import { parse as parseToml, TomlError } from 'smol-toml';
import { type ConfigKey, configSchema, type NodeConfig } from './config-schema.ts';
import { assertLoopback, assertMayListen, isWildcard, parseEndpoint } from './endpoint.ts';
import { CONFIG_FILE_MAX_BYTES } from './limits.ts';
import { defaultDataDir } from './paths.ts';
import { CONFIG_KEYS, SETTINGS } from './settings.ts';

export type { ConfigKey, NodeConfig } from './config-schema.ts';

/** In the data folder. */
export const CONFIG_FILE = 'node.toml';

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

type Values = Partial<Record<ConfigKey, unknown>>;

/** Throws CONFIG_INVALID naming the value and its origin. */
export function loadConfig({ file, env, flags }: ConfigSources): LoadedConfig {
  const dataDir = resolve(
    text(flags.dataDir) ?? text(env['HELIXMESH_DATA']) ?? fallbackOf('dataDir', env),
  );
  const path = file ?? ownFile(dataDir);
  const fromFile = path === undefined ? {} : readConfigFile(path);
  if (file === undefined && path !== undefined) assertSameFolder(fromFile.dataDir, dataDir, path);
  const values: Values = {};
  const origins = {} as Record<ConfigKey, string>;
  const take = (key: ConfigKey, hasRoles: boolean) => {
    const { env: name, foreignEnv } = SETTINGS[key];
    const set = (value: unknown, origin: string) => {
      if (value === undefined || value === '') return;
      values[key] = value;
      origins[key] = origin;
    };
    set(fallbackOf(key, env), 'default');
    set(fromFile[key], `file ${path}`);
    if (hasRoles && foreignEnv !== undefined) set(env[foreignEnv], `environment ${foreignEnv}`);
    set(env[name], `environment ${name}`);
    set(flags[key], 'flag');
  };
  take('roles', false);
  const hasRoles = values.roles !== undefined && String(values.roles) !== '';
  for (const key of CONFIG_KEYS) take(key, hasRoles);
  const parsed = configSchema.safeParse(values);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const key = issue?.path[0] as ConfigKey | undefined;
    const where = key === undefined ? '' : ` ${key} (from ${origins[key]})`;
    throw invalid(`bad configuration value${where}: ${issue?.message ?? 'unknown'}`);
  }
  const config = Object.freeze({ ...parsed.data, dataDir: resolve(parsed.data.dataDir) });
  assertConsistent(config);
  return { config, origins };
}

/** What no single value shows. */
function assertConsistent(config: NodeConfig): void {
  const { roles, listen, endpoint } = config;
  if ((config.restateIngressUrl === null) !== (config.restateAdminUrl === null)) {
    throw invalid('restate.ingress_url and restate.admin_url must be given together');
  }
  if (roles.includes('coordinator') && roles.includes('custodian')) {
    throw invalid('a coordinator never holds data keys: it cannot be a custodian as well');
  }
  if (config.coordinator !== null && roles.length > 0 && config.operator === null) {
    throw invalid('network.coordinator is set, but not node.operator: who answers for the node');
  }
  if (roles.includes('seed') && config.coordinator === null && !roles.includes('coordinator')) {
    throw new AppError(
      'CONFIG_INVALID',
      'a seed tells of the nodes of a coordinator: it has none',
      {
        hint: 'Set network.coordinator, and node.operator with it.',
      },
    );
  }
  if (config.metricsListen !== null) {
    assertLoopback(parseEndpoint(config.metricsListen, 'middleware.metrics_listen'));
  }
  if (listen === null) {
    if (roles.length === 0) return;
    throw new AppError('CONFIG_INVALID', `a node with the role ${roles[0]} needs node.listen`, {
      hint: 'Set node.listen in its node.toml, for example to "127.0.0.1:7400".',
    });
  }
  const at = parseEndpoint(listen, 'node.listen');
  assertMayListen(at, config.listenPublic);
  if (isWildcard(at.host) && endpoint === null) {
    throw new AppError('CONFIG_INVALID', `nobody can dial ${listen}, and there is no endpoint`, {
      hint: 'Set node.endpoint to the name and port by which others reach this machine.',
    });
  }
}

/** Its value as people may see it: without the password that a URL may hold. */
export function shownValue(value: NodeConfig[ConfigKey]): string {
  if (Array.isArray(value)) return value.join(', ');
  return String(value ?? '').replace(/^(https?:\/\/)[^/]*@/, '$1***@');
}

function fallbackOf(key: 'dataDir', env: NodeJS.ProcessEnv): string;
function fallbackOf(key: ConfigKey, env: NodeJS.ProcessEnv): unknown;
function fallbackOf(key: ConfigKey, env: NodeJS.ProcessEnv): unknown {
  return key === 'dataDir'
    ? defaultDataDir({ ...env, HELIXMESH_DATA: '' })
    : SETTINGS[key].fallback;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function ownFile(dataDir: string): string | undefined {
  const path = join(dataDir, CONFIG_FILE);
  return existsSync(path) ? path : undefined;
}

function assertSameFolder(named: unknown, dataDir: string, path: string): void {
  if (named === undefined || (typeof named === 'string' && resolve(named) === dataDir)) return;
  throw new AppError('CONFIG_INVALID', `node.data_dir in ${path} names another folder`, {
    hint: 'Delete that line: the file belongs to the folder in which it is.',
  });
}

function readConfigFile(path: string): Values {
  const tables = parseFile(path);
  const known = CONFIG_KEYS.map((key) => SETTINGS[key].at.join('.'));
  const found: Values = {};
  for (const [table, content] of Object.entries(tables)) {
    const isTable = typeof content === 'object' && content !== null && !Array.isArray(content);
    for (const key of isTable ? Object.keys(content) : ['']) {
      const name = key === '' ? table : `${table}.${key}`;
      if (known.includes(name)) continue;
      throw invalid(`unknown setting ${name} in ${path}; known: ${known.join(', ')}`);
    }
  }
  for (const key of CONFIG_KEYS) {
    const [table, name] = SETTINGS[key].at;
    found[key] = (tables[table] as Record<string, unknown> | undefined)?.[name];
  }
  return found;
}

function parseFile(path: string): Record<string, unknown> {
  try {
    if (statSync(path).size > CONFIG_FILE_MAX_BYTES) throw invalid(`${path} is too long`);
    return parseToml(readFileSync(path, 'utf8'));
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('CONFIG_INVALID', `cannot read ${path}: ${why(cause)}`, {
      hint: 'Give a TOML file with --config.',
      cause,
    });
  }
}

/** The first line alone: what follows it quotes the file. */
function why(cause: unknown): string {
  const [first = ''] = (cause as Error).message.split('\n');
  return cause instanceof TomlError ? `line ${cause.line}, ${first}` : first;
}

function invalid(message: string): AppError {
  return new AppError('CONFIG_INVALID', message, {
    hint: 'See `helixmesh config print` for each value and its origin.',
  });
}

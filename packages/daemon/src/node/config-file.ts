/** The settings file that `init` writes: every setting with its meaning, those not chosen commented. */
import { stringify } from 'smol-toml';
import type { ConfigKey } from './config-schema.ts';
import { CONFIG_KEYS, SETTINGS } from './settings.ts';

/** The folder's own: no file in it names it. */
const NOT_WRITTEN: ReadonlySet<ConfigKey> = new Set(['dataDir']);

/** TOML with `chosen` set; each other setting stands as a comment with its default or an example. */
export function configFile(chosen: Partial<Record<ConfigKey, unknown>>): string {
  const lines = [
    '# Settings of this node. A line without # is set; the others show the default or an example.',
    '# The environment and flags win over this file: `helixmesh config print` shows each origin.',
  ];
  let open = '';
  for (const key of CONFIG_KEYS) {
    if (NOT_WRITTEN.has(key)) continue;
    const { at, about, env, fallback, example } = SETTINGS[key];
    const [table, name] = at;
    if (table !== open) lines.push('', `[${table}]`);
    open = table;
    const line = stringify({ [name]: chosen[key] ?? fallback ?? example ?? '' }).trimEnd();
    lines.push(`# ${about} (${env})`, chosen[key] === undefined ? `# ${line}` : line);
  }
  return `${lines.join('\n')}\n`;
}

/** Numbers and times for people. */

export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1_000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(Math.floor(seconds % 60)).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

export function percent(fraction: number): string {
  return `${Math.floor(fraction * 100)} %`;
}

export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = count;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

export function dateTime(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}

/** `9 s ago`, for lists. */
export function ago(ms: number, nowMs: number): string {
  return `${duration(Math.max(0, nowMs - ms))} ago`;
}

/** Characters of a node or account in tables: enough to tell them apart, and to name a node. */
export const PARTY_CHARS = 17;

/** A node or account as tables show it. */
export function shortParty(id: string): string {
  return id.slice(0, PARTY_CHARS);
}

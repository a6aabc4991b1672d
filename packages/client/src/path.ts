/** The request line of a route: its path with the parameters filled in, and the query. */

export function pathOf(
  template: string,
  params: Readonly<Record<string, string>>,
  query: Readonly<Record<string, unknown>> | undefined,
): string {
  const path = template.replace(/:(\w+)/g, (_, name) => encodeURIComponent(params[name] ?? ''));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) search.set(name, String(value));
  }
  return search.size === 0 ? path : `${path}?${search}`;
}

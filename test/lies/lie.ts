/** What is told of a lie, and the table that tells it to people. */

export interface Guard {
  readonly path: string;
  /** Stands in that module once. */
  readonly code: string;
  /** What stands there when the guard is taken out. */
  readonly without: string;
}

export interface Lie {
  /** In the words of `docs/concepts/threats.md`. */
  readonly lie: string;
  /** What becomes of it. */
  readonly end: string;
  /** What refuses or contains it; several where one alone would be enough. */
  readonly guards: readonly Guard[];
  readonly test: {
    readonly path: string;
    /** As it is written in the source, placeholders included. */
    readonly name: string;
  };
}

/** The table of the page; a test keeps it there. */
export function tableOf(lies: readonly Lie[]): string {
  const rows = lies.map(({ lie, end, guards, test }) => {
    const modules = [...new Set(guards.map(({ path }) => `\`${path}\``))].join(', ');
    return `| ${lie} | ${end} | ${modules} | ${test.name}, in \`${test.path}\` |`;
  });
  return ['| lie | what becomes of it | guard | test |', '|---|---|---|---|', ...rows, ''].join(
    '\n',
  );
}

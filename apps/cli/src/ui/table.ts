/** Tables of text with aligned columns. */
import { bold, padEnd, padStart, widthOf } from './style.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** Two spaces between columns; no line ends in spaces. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map((column, i) =>
    Math.max(widthOf(column.title), ...rows.map((row) => widthOf(row[i] ?? ''))),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) =>
        columns[i]?.align === 'right'
          ? padStart(cell, widths[i] ?? 0)
          : padEnd(cell, widths[i] ?? 0),
      )
      .join('  ')
      .trimEnd();
  const head = line(columns.map((column) => bold(column.title)));
  return [head, ...rows.map(line)].join('\n');
}

/** Names and values, the values aligned. */
export function pairs(rows: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...rows.map(([name]) => widthOf(name)));
  return rows.map(([name, value]) => `  ${padEnd(name, width)}  ${value}`.trimEnd()).join('\n');
}

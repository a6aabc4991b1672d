/** Colours and marks of the terminal. Standard output stays plain when it is not a terminal. */
import { styleText } from 'node:util';

type Format = Parameters<typeof styleText>[0];

/** `styleText` follows NO_COLOR, FORCE_COLOR and whether the stream is a terminal. */
function painter(format: Format) {
  return (text: string): string => styleText(format, text, { stream: process.stdout });
}

export const bold = painter('bold');
export const dim = painter('dim');
export const red = painter('red');
export const green = painter('green');
export const yellow = painter('yellow');
export const cyan = painter('cyan');

/** Width on the terminal of a text with colour codes. */
export function widthOf(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the codes begin with ESC.
  return [...text.replace(/\u001b\[[0-9;]*m/g, '')].length;
}

export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - widthOf(text))) + text;
}

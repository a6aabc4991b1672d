/**
 * Source Sans 3 (SIL Open Font License 1.1), from the installed package: one file per alphabet
 * and style. Figures have equal widths, so columns line up.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { AppError } from '@helixmesh/protocol';

export type Face = 'regular' | 'semibold' | 'bold' | 'italic' | 'semibold-italic';
/** The alphabets in the order in which a letter is looked up. */
export const ALPHABETS = ['latin', 'latin-ext', 'greek', 'cyrillic', 'vietnamese'] as const;
export type Alphabet = (typeof ALPHABETS)[number];

const STYLES: Readonly<Record<Face, string>> = {
  regular: '400-normal',
  semibold: '600-normal',
  bold: '700-normal',
  italic: '400-italic',
  'semibold-italic': '600-italic',
};

/** The bytes of one font file. TOOL_MISSING where the package is not installed. */
export function fontFile(face: Face, alphabet: Alphabet, kind: 'woff' | 'woff2'): Buffer {
  const name = `@fontsource/source-sans-3/files/source-sans-3-${alphabet}-${STYLES[face]}.${kind}`;
  try {
    return readFileSync(createRequire(import.meta.url).resolve(name));
  } catch (cause) {
    throw new AppError('TOOL_MISSING', `font file ${name} cannot be read`, {
      hint: 'Install the packages again: npm ci.',
      cause,
    });
  }
}

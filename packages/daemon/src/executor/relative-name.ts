/** Names of files inside a working folder: relative, going down only. */
import { AppError } from '@helixmesh/protocol';
import { RELATIVE_NAME_MAX_BYTES } from './limits.ts';

/** Returns `name` if it stays inside the folder; throws INTERNAL for any other. */
export function checkRelativeName(name: string): string {
  const parts = name.split('/');
  const isBad =
    name === '' ||
    name.includes('\0') ||
    Buffer.byteLength(name) > RELATIVE_NAME_MAX_BYTES ||
    parts.some((part) => part === '' || part === '.' || part === '..');
  if (isBad) {
    throw new AppError(
      'INTERNAL',
      `not a relative file name: ${JSON.stringify(name.slice(0, 99))}`,
      {
        hint: 'This is a mistake of the pipeline, not of yours; report it.',
      },
    );
  }
  return name;
}

/** Commands and paths as whoever reads them would type them, from the folder where they are. */
import { dirname, join, relative, resolve } from 'node:path';

/** From a main module of this program to the folder with `helixmesh` and `biofs` in it. */
const CHECKOUT_OF = { 'main.ts': '../../..', 'biofs/main.ts': '../../../..' } as const;

/** `biofs` where it is installed, `./biofs` in a checkout, which runs the sources. */
export function typedCommand(name: 'helixmesh' | 'biofs'): string {
  const [, main = ''] = process.argv;
  const found = Object.entries(CHECKOUT_OF).findLast(([end]) => main.endsWith(`/src/${end}`));
  if (found === undefined) return name;
  const path = typedPath(join(resolve(dirname(main), found[1]), name));
  return path.includes('/') ? path : `./${path}`;
}

/** Relative where it lies below this folder. */
export function typedPath(path: string): string {
  const near = relative(process.cwd(), path);
  return near === '' || near.startsWith('..') ? path : near;
}

/**
 * Makes dist/helixmesh-VERSION.tgz: the command line as built JavaScript with the workspace
 * packages inside, so that `npm install ./helixmesh-VERSION.tgz` in an empty folder works. Packages
 * of others stay ordinary dependencies with exact versions.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly files?: readonly string[];
  readonly exports?: Readonly<Record<string, { readonly default: string }>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly [key: string]: unknown;
}

const ROOT = join(import.meta.dirname, '..');
const STAGE = join(ROOT, 'dist', 'stage');
const SCOPE = '@helixmesh/';
/** What a package ships beside its JavaScript: fonts, schemas and the like. */
const NOT_SHIPPED = /(\.test\.(js|d\.ts)|\.map|\.d\.ts|\.tsbuildinfo)$|\/testing\//;

const app = readManifest('apps/cli');
const packages = workspaceClosure(app);
run('node_modules/.bin/tsc', ['-b', 'apps/cli']);
rmSync(STAGE, { recursive: true, force: true });
ship('apps/cli', STAGE);
for (const folder of packages) {
  ship(folder, join(STAGE, 'node_modules', SCOPE, basename(folder)));
}
const own = packages.map((folder) => readManifest(folder).name);
writeManifest(STAGE, {
  ...published(app),
  dependencies: dependenciesOf(),
  bundleDependencies: own,
});
cpSync(join(ROOT, 'LICENSE'), join(STAGE, 'LICENSE'));
cpSync(join(ROOT, 'README.md'), join(STAGE, 'README.md'));
run('npm', ['pack', '--silent', '--pack-destination', join(ROOT, 'dist'), STAGE]);
rmSync(STAGE, { recursive: true });
process.stdout.write(`${join('dist', `${app.name}-${app.version}.tgz`)}\n`);

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
}

function writeManifest(folder: string, manifest: object): void {
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** Folders of the workspace packages that `manifest` needs, each once. */
function workspaceClosure(manifest: Manifest, found: string[] = []): string[] {
  for (const name of Object.keys(manifest.dependencies ?? {})) {
    if (!name.startsWith(SCOPE)) continue;
    const folder = join('packages', name.slice(SCOPE.length));
    if (found.includes(folder)) continue;
    found.push(folder);
    workspaceClosure(readManifest(folder), found);
  }
  return found;
}

/** Others' packages with their versions, and our own ones, which lie in the tarball. */
function dependenciesOf(): Record<string, string> {
  const all = [app, ...packages.map(readManifest)].flatMap((manifest) =>
    Object.entries(manifest.dependencies ?? {}),
  );
  return Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Without the condition that leads to TypeScript sources, and without entries for tests. */
function published({ exports, files, ...rest }: Manifest): Manifest {
  if (exports === undefined) return { ...rest };
  const shipped = Object.entries(exports).filter(([entry]) => !entry.startsWith('./testing/'));
  const built = shipped.map(([entry, target]) => [entry, target.default]);
  return { ...rest, exports: Object.fromEntries(built) };
}

function ship(folder: string, target: string): void {
  mkdirSync(target, { recursive: true });
  const manifest = readManifest(folder);
  for (const entry of manifest.files ?? []) {
    const source = join(ROOT, folder, entry);
    if (entry.startsWith('!') || !existsSync(source)) continue;
    cpSync(source, join(target, entry), {
      recursive: true,
      filter: (path) => !NOT_SHIPPED.test(path),
    });
  }
  writeManifest(target, published(manifest));
}

function run(command: string, args: readonly string[]): void {
  execFileSync(command, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
}

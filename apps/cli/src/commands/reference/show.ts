import type { ReferenceManifest } from '@helixmesh/pipelines';
import type { Command } from 'commander';
import { answer, contextOf } from '../../context.ts';
import { bytes } from '../../ui/format.ts';
import { pairs } from '../../ui/table.ts';

export function addReferenceShow(reference: Command): void {
  reference
    .command('show')
    .summary('show what a bundle is made of')
    .description('Shows the sources, contigs and notes of a bundle without reading its files.')
    .argument('<name>', 'name or digest of a bundle')
    .action(async (name: string, _options: object, command) => {
      const context = contextOf(command);
      const { bundleDigest, readManifest } = await import('@helixmesh/pipelines');
      const manifest = await readManifest(context.paths.referenceRoot, name);
      answer(context, manifest, manifestText(name, bundleDigest(manifest), manifest));
    });
}

export function addReferenceVerify(reference: Command): void {
  reference
    .command('verify')
    .summary('check every file of a bundle')
    .description('Reads every file of a bundle and compares it with the digest it was kept under.')
    .argument('<name>', 'name or digest of a bundle')
    .action(async (name: string, _options: object, command) => {
      const context = contextOf(command);
      const { openReference } = await import('@helixmesh/pipelines');
      const bundle = await openReference(context.paths.referenceRoot, name);
      answer(context, bundle, `${bundleText(bundle)}\n  every file is as it was kept`);
    });
}

export interface BundleFigures {
  readonly name: string;
  readonly digest: string;
  readonly contigs: readonly unknown[];
  readonly files: Readonly<Record<string, { readonly sizeBytes: number }>>;
}

export function bundleText({ name, digest, contigs, files }: BundleFigures): string {
  const sizes = Object.values(files).map((file) => file.sizeBytes);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  return pairs([
    ['name', name],
    ['digest', digest],
    ['contigs', String(contigs.length)],
    ['files', `${sizes.length}, ${bytes(total)} in all`],
  ]);
}

function manifestText(name: string, digest: string, manifest: ReferenceManifest): string {
  const bases = manifest.contigs.reduce((sum, contig) => sum + contig.lengthBases, 0);
  const rows: [string, string][] = [
    ['name', name],
    ['digest', digest],
    ['contigs', `${manifest.contigs.length}, ${bases.toLocaleString('en')} bases`],
    ...manifest.sources.map((source): [string, string] => [source.kind, source.fileName]),
    ...manifest.notes.map((note): [string, string] => ['note', note]),
  ];
  return pairs(rows);
}

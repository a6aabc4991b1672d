/** Wrong command lines, sheets and settings: told before anything starts. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { nodePaths } from '@helixmesh/daemon/data-folder';
import { assertRefusal, type Refusal, type Workbench, workbench } from './bench.ts';

let bench: Workbench;
before(async () => {
  bench = await workbench({ daemon: false });
});
after(() => bench?.stop());

const SHEET = 'Columns|header';

interface Case extends Refusal {
  readonly what: string;
  args(): Promise<readonly string[]>;
}

const sheet = async (text: string) => {
  const path = await bench.write('samples.csv', text);
  return ['run', '--samplesheet', path, '--reference', 'simulated', '--out', bench.outDir];
};
const config = async (text: string) => {
  return ['--config', await bench.write('config.toml', text), 'config', 'print'];
};
const named = async (name: string) => {
  const reads = ['--r1', bench.sample.r1, '--reference', 'simulated', '--out', bench.outDir];
  return ['run', `--sample=${name}`, ...reads];
};

const CASES: readonly Case[] = [
  {
    what: 'an unknown flag',
    args: async () => ['run', '--reference', 'ref.fa', '--refrence', 'ref.fa'],
    code: 'USAGE',
    says: /--refrence/,
    advises: /--reference/,
  },
  {
    what: 'a misspelt command',
    args: async () => ['statsu'],
    code: 'USAGE',
    says: /statsu/,
    advises: /status/,
  },
  {
    what: 'a value that is no choice',
    args: async () => ['run', '--reference', 'simulated', '--caller', 'gatk'],
    code: 'USAGE',
    says: /gatk/,
    advises: /--help/,
  },
  {
    what: 'a sheet with an unknown column',
    args: () => sheet('sample,r1,colour\nA,a.fq,blue\n'),
    code: 'INPUT_MALFORMED',
    says: /line 1: .*colour/,
    advises: new RegExp(SHEET),
  },
  {
    what: 'a sheet with a sample twice',
    args: () => sheet('sample,r1\nA,a.fq\nB,b.fq\nA,c.fq\n'),
    code: 'INPUT_MALFORMED',
    says: /line 4: .*line 2/,
    advises: new RegExp(SHEET),
  },
  {
    what: 'a sheet with a wrong sex',
    args: () => sheet('sample,r1,sex\nA,a.fq,XX\nB,b.fq,male\n'),
    code: 'INPUT_MALFORMED',
    says: /line 3: .*male/,
    advises: new RegExp(SHEET),
  },
  {
    what: 'a sheet with a row of other length',
    args: () => sheet('sample,r1\nA\n'),
    code: 'INPUT_MALFORMED',
    says: /line 2/,
    advises: new RegExp(SHEET),
  },
  {
    what: 'a sheet without samples',
    args: () => sheet('sample,r1\n'),
    code: 'INPUT_EMPTY',
    says: /no samples/,
    advises: new RegExp(SHEET),
  },
  {
    what: 'a configuration that is no TOML',
    args: () => config('[node\ncores = 2\n'),
    code: 'CONFIG_INVALID',
    says: /config\.toml/,
    advises: /TOML/,
  },
  {
    what: 'an unknown setting',
    args: () => config('[node]\ncors = 2\n'),
    code: 'CONFIG_INVALID',
    says: /node\.cors.*node\.cores/,
    advises: /config print/,
  },
  {
    what: 'a setting out of range',
    args: () => config('[node]\ncores = 0\n'),
    code: 'CONFIG_INVALID',
    says: /cores.*config\.toml/,
    advises: /config print/,
  },
  ...['../up', 'a\tb', "a'; rm -rf", '', 'x'.repeat(65)].map((name) => ({
    what: `the sample name ${JSON.stringify(name.slice(0, 12))}`,
    args: () => named(name),
    code: 'USAGE' as const,
    says: /sample name/,
    advises: /letters, digits/,
  })),
];

for (const { what, args, ...refusal } of CASES) {
  test(`${what} is refused as ${refusal.code}`, async () => {
    assertRefusal(await bench.cli(await args()), refusal);
    assert.ok(!existsSync(bench.outDir), 'an output folder was made');
    assert.ok(!existsSync(nodePaths(bench.dataDir).database), 'a node was started');
  });
}

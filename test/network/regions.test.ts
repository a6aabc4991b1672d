/**
 * Records of a region out of sealed files: by an index that is sealed too, over real TLS, against
 * `tabix` and `samtools` on the plain files; and granted by region, without an index for the grantee.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { shell } from '@helixmesh/pipelines/testing/shell';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  encryptBody,
  groupOf,
  makeGroupKeys,
  makeX25519KeyPair,
  openHeader,
  openWithGroups,
  type Range,
  SEGMENT_BYTES,
  sealRegionHeader,
} from '@helixmesh/protocol/sealing';
import {
  answerOf,
  failureOf,
  type NetworkNode,
  run,
  startNetworkNode,
} from '../support/network.ts';

/** Enough for three groups of 256 segments, and blocks that hold several records. */
const RECORDS = 12_000;
const NOISE_CHARS = 3_500;
/** The last one lies in the third group, the header in the first. */
const INSIDE = 'chr7:1,100,001-1,101,000';
const BEYOND = 'chr7:1,101,001-1,102,000';

let folder = '';
let vault: NetworkNode;
let custodian: NetworkNode;
let account = '';
const datasets: Record<string, string> = {};
const at = (name: string) => join(folder, name);
const read = async (who: string, args: readonly string[]) => {
  const { code, stdout, stderr } = await run('biofs', args, { dataDir: at(who) });
  assert.equal(code, 0, stderr);
  return stdout;
};

function vcfText(): string {
  const noise = randomBytes(RECORDS * 8 + NOISE_CHARS).toString('hex');
  const lines = ['##fileformat=VCFv4.2', '##contig=<ID=chr7,length=2000000>'];
  lines.push('##INFO=<ID=N,Number=1,Type=String,Description="N">');
  lines.push('#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO');
  for (let i = 0; i < RECORDS; i += 1) {
    const info = noise.slice(16 * i, 16 * i + NOISE_CHARS + (i % 90));
    lines.push(`chr7\t${1 + 100 * i}\t.\tAC\tT\t50\tPASS\tN=${info}`);
  }
  return `${lines.join('\n')}\n`;
}

function samText(): string {
  const lines = ['@HD\tVN:1.6\tSO:coordinate', '@SQ\tSN:chr7\tLN:2000000'];
  for (let i = 0; i < 2_000; i += 1) {
    const bases = randomBytes(50)
      .toString('hex')
      .replace(/[^acg]/g, 't')
      .toUpperCase();
    const quality = 'I'.repeat(bases.length);
    lines.push(
      `r${i}\t0\tchr7\t${1 + 600 * i}\t60\t${bases.length}M\t*\t0\t0\t${bases}\t${quality}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hm-regions-'));
  await writeFile(at('a.vcf'), vcfText());
  await writeFile(at('a.sam'), samText());
  // Without compression, so that a small file has many segments.
  await shell(
    folder,
    `bgzip -l 0 -c a.vcf > a.vcf.gz; tabix -p vcf a.vcf.gz
    samtools view --no-PG -b -o a.bam a.sam; samtools index a.bam`,
  );
  for (const name of ['alice.key', 'bob.key']) {
    await writeFile(at(name), `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  }
  const local = ['--listen', '127.0.0.1:0'];
  const founding = ['init', '--role', 'storage', '--network-name', 'test', ...local];
  await answerOf('helixmesh', founding, at('vault'));
  vault = await startNetworkNode(at('vault'));
  const genesis = ['--genesis', join(at('vault'), 'network.json')];
  await answerOf('helixmesh', ['init', '--role', 'custodian', ...genesis, ...local], at('alice'));
  custodian = await startNetworkNode(at('alice'));
  const endpoint = custodian.address.split('@')[1] ?? '';
  const wallet = ['login', '--key-file', at('alice.key'), '--custodian', endpoint];
  await answerOf('biofs', wallet, at('alice'));
  const other = ['login', '--key-file', at('bob.key'), ...genesis];
  account = (await answerOf('biofs', other, at('bob'))).account;
  const files = ['a.vcf.gz', 'a.vcf.gz.tbi', 'a.bam', 'a.bam.bai'];
  const put = ['put', ...files.map(at), '--vault', vault.address, '--region-grants'];
  for (const done of await answerOf('biofs', put, at('alice'))) {
    datasets[done.fileName] = done.dataset;
  }
});

after(async () => {
  await Promise.all([vault?.stop(), custodian?.stop()]);
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

const plainVcf = (region: string) => shell(folder, `tabix -h a.vcf.gz ${region}`);

async function text(piece: Uint8Array, command: string): Promise<string> {
  await writeFile(at('piece'), piece);
  return shell(folder, `${command} piece`);
}

test('its owner gets the records that tabix and samtools give on the plain files', async () => {
  const vcf = await read('alice', ['cat', datasets['a.vcf.gz'] ?? '', '--region', INSIDE]);
  const lines = await text(vcf, 'bgzip -dc');
  assert.equal(lines, await plainVcf(INSIDE));
  assert.equal(lines.split('\n').length, 4 + 10 + 1);
  const two = ['--region', 'chr7:5000-9000', '--region', 'chr7:600001-600200'];
  const bam = await read('alice', ['cat', datasets['a.bam'] ?? '', ...two]);
  const plain = 'samtools view -h --no-PG -M a.bam chr7:5000-9000 chr7:600001-600200';
  assert.equal(await text(bam, 'samtools view -h --no-PG'), await shell(folder, plain));
});

test('without an index, with a wrong one or for a contig that is not there it says so', async () => {
  const whole = ['cat', datasets['a.vcf.gz'] ?? '', '--region', 'chr7:1-10'];
  const failure = (args: readonly string[]) => failureOf('biofs', args, at('alice'));
  const index = datasets['a.vcf.gz.tbi'] ?? '';
  assert.equal(await failure(['cat', index, '--region', 'chr7:1-10']), 'USAGE');
  assert.equal(await failure([...whole, '--index', at('a.bam.bai')]), 'INPUT_WRONG_FORMAT');
  assert.equal(await failure([...whole, '--index', datasets['a.bam'] ?? '']), 'INPUT_WRONG_FORMAT');
  assert.equal(await failure([...whole, '--region', '7:1-10']), 'USAGE');
  assert.equal(await failure([...whole, '--bytes', '0-10']), 'USAGE');
});

test('a grantee of a region gets its records into a file, and nothing beyond', async () => {
  const dataset = datasets['a.vcf.gz'] ?? '';
  const given = ['grant', dataset, '--to', account, '--region', INSIDE, '--out', at('part.grant')];
  await answerOf('biofs', given, at('alice'));
  await answerOf('biofs', ['accept', at('part.grant')], at('bob'));
  const shown = await answerOf('biofs', ['stat', dataset], at('bob'));
  assert.deepEqual(shown.regions, [INSIDE.replaceAll(',', '')]);
  const command = ['download', dataset, '--region', INSIDE, '--out', at('part.vcf.gz')];
  await answerOf('biofs', command, at('bob'));
  const piece = await readFile(at('part.vcf.gz'));
  assert.equal(await text(piece, 'bgzip -dc'), await plainVcf(INSIDE));
  const smaller = 'chr7:1,100,200-1,100,500';
  const part = await read('bob', ['cat', dataset, '--region', smaller]);
  assert.equal(await text(part, 'bgzip -dc'), await plainVcf(smaller));
  const other = await failureOf('biofs', ['cat', dataset, '--region', BEYOND], at('bob'));
  assert.equal(other, 'ACCESS_REFUSED');
  const bytes = await failureOf(
    'biofs',
    ['cat', dataset, '--bytes', '17000000-17000010'],
    at('bob'),
  );
  assert.equal(bytes, 'ACCESS_REFUSED');
});

test('operators and tiers of a policy are kept, and do not bind people', async () => {
  const command = ['cat', datasets['a.vcf.gz'] ?? '', '--region', INSIDE];
  const operator = `0x${'5'.repeat(40)}`;
  const limits = ['--operators', operator, '--tiers', 'gpu,ai', '--operators-max', '0'];
  const set = await answerOf('biofs', ['policy', ...limits], at('alice'));
  assert.deepEqual(set.operators, [operator]);
  assert.deepEqual([set.tiers, set.plaintextOperatorsMax], [['ai', 'gpu'], 0]);
  await read('bob', command);
  const none = ['--operators', 'any', '--tiers', 'any', '--operators-max', 'any'];
  const open = await answerOf('biofs', ['policy', ...none], at('alice'));
  assert.deepEqual([open.operators, open.tiers, open.plaintextOperatorsMax], [null, null, null]);
});

test('a paused policy keeps grants from being used, until it is resumed', async () => {
  const command = ['cat', datasets['a.vcf.gz'] ?? '', '--region', INSIDE];
  const paused = await answerOf('biofs', ['policy', '--pause', '--zones', 'EU'], at('alice'));
  assert.equal(paused.isPaused, true);
  assert.deepEqual(paused.terms.zones, ['EU']);
  assert.equal(await failureOf('biofs', command, at('bob')), 'ACCESS_REFUSED');
  await read('alice', command);
  await answerOf('biofs', ['policy', '--resume'], at('alice'));
  assert.equal(await failureOf('biofs', command, at('bob')), 'ACCESS_REFUSED');
  await read('bob', [...command, '--zone', 'EU']);
  const open = await answerOf('biofs', ['policy', '--zones', 'any'], at('alice'));
  assert.deepEqual(open, await answerOf('biofs', ['policy'], at('alice')));
  await read('bob', command);
});

test('the keys of a granted region fail on each segment of the groups it does not lie in', async () => {
  const { recordsAt } = await granted();
  const file = await readFile(at('a.vcf.gz'));
  const keys = makeGroupKeys(nodeCrypto);
  const segments: Uint8Array[] = [];
  const plaintext = (async function* () {
    for (let from = 0; from < file.length; from += SEGMENT_BYTES) {
      yield file.subarray(from, from + SEGMENT_BYTES);
    }
  })();
  for await (const segment of encryptBody(nodeCrypto, plaintext, keys.keyOf)) {
    segments.push(segment.slice());
  }
  const reader = makeX25519KeyPair(nodeCrypto);
  const { header, groups } = sealRegionHeader(nodeCrypto, {
    groupKeys: keys.keys,
    plaintextBytes: file.length,
    regions: recordsAt,
    recipients: [reader.publicKey],
  });
  const { dataKeys } = openHeader(nodeCrypto, header, reader);
  const open = openWithGroups(nodeCrypto, dataKeys, groups);
  const opened = segments.map((segment, index) => open(segment, index) !== undefined);
  const expected = segments.map((_, index) =>
    groups.some(({ start, end }) => start <= groupOf(index) && groupOf(index) < end),
  );
  assert.deepEqual(opened, expected);
  assert.deepEqual(new Set(opened), new Set([true, false]));
  // Nor does any of the keys open them where it does not belong.
  segments.forEach((segment, index) => {
    if (expected[index] === true) return;
    for (const [at] of dataKeys.entries()) {
      const group = { start: groupOf(index), end: groupOf(index) + 1 };
      const other = openWithGroups(nodeCrypto, dataKeys.slice(at, at + 1), [group]);
      assert.equal(other(segment, index), undefined);
    }
  });
});

/** What the custody of the owner says of the grant. */
async function granted(): Promise<{ readonly recordsAt: readonly Range[] }> {
  const { openCustody } = await import('@helixmesh/daemon/custody');
  const { networkId, parseGenesis } = await import('@helixmesh/protocol/sealing');
  const genesis = await readFile(join(at('vault'), 'network.json'), 'utf8');
  const network = networkId(nodeCrypto, parseGenesis(Buffer.from(genesis.trim())));
  const custody = await openCustody({
    ...{ folder: at('alice'), crypto: nodeCrypto, network, now: Date.now },
  });
  try {
    const [grant] = custody.listGrants();
    assert.ok(grant?.byteRanges);
    return { recordsAt: grant.byteRanges };
  } finally {
    custody.close();
  }
}

/** A folder of many small files as it is put, over real TLS: each once, killed in the middle too. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  answerOf,
  failureOf,
  type NetworkNode,
  run,
  startNetworkNode,
} from '../support/network.ts';

/** A hundredth of what the benchmark puts. */
const FILES = 100;
const FILE_BYTES = 1_000;

let folder = '';
let vault: NetworkNode;
const at = (name: string) => join(folder, name);

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hm-many-'));
  await writeFile(at('alice.key'), `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  await mkdir(at('data/deeper'), { recursive: true });
  for (let i = 0; i < FILES; i += 1) {
    const name = i % 2 === 0 ? `data/f${i}.txt` : `data/deeper/f${i}.txt`;
    await writeFile(at(name), randomBytes(FILE_BYTES));
  }
  await symlink('/etc/passwd', at('data/link'));
  await mkdir(at('empty'));
  const local = ['--listen', '127.0.0.1:0'];
  const founding = ['init', '--role', 'storage', '--network-name', 'test', ...local];
  await answerOf('helixmesh', founding, at('vault'));
  vault = await startNetworkNode(at('vault'));
  const genesis = ['--genesis', join(at('vault'), 'network.json')];
  await answerOf('biofs', ['login', '--key-file', at('alice.key'), ...genesis], at('alice'));
});

after(async () => {
  await vault?.stop();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

test('a folder that is put, killed and put again ends with each of its files stored once', async () => {
  const put = ['put', at('data'), '--vault', vault.address];
  await run('biofs', put, { dataDir: at('alice'), killAt: /100 files {2}.* 2\d %/ });
  const before = (await answerOf('biofs', ['ls'], at('alice'))).length;
  assert.ok(before >= FILES / 5 && before < FILES, `${before} were there`);
  const done = await answerOf('biofs', put, at('alice'));
  assert.equal(done.length, FILES);
  const listed = await answerOf('biofs', ['ls'], at('alice'));
  assert.equal(listed.length, FILES);
  assert.ok(listed.every(({ state }: { state: string }) => state === 'stored'));
  const names = new Set(listed.map(({ fileName }: { fileName: string }) => fileName));
  assert.equal(names.size, FILES);
  assert.ok(!names.has('link'), 'a link may lead anywhere');
  assert.deepEqual(await readdir(join(at('alice'), 'spool')), []);
  const again = await answerOf('biofs', put, at('alice'));
  assert.deepEqual(
    again.map(({ dataset }: { dataset: string }) => dataset),
    done.map(({ dataset }: { dataset: string }) => dataset),
  );
});

test('a folder without files is a mistake', async () => {
  const put = ['put', at('empty'), '--vault', vault.address];
  assert.equal(await failureOf('biofs', put, at('alice')), 'USAGE');
});

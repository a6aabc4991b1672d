/**
 * A put of which the client or the vault is killed in the middle: what the vault has is not sent
 * again. Processes of their own, over real TLS.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { answerOf, type NetworkNode, run, startNetworkNode } from '../support/network.ts';

const SIZE = 64 * 1024 * 1024;
/** What may be on its way when somebody dies, and the last block, which was not whole. */
const LOST_BYTES_MAX = 8 * 1024 * 1024;

let folder = '';
let vault: NetworkNode;
const at = (name: string) => join(folder, name);
const alice = () => at('alice');

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hm-resumed-'));
  await writeFile(at('alice.key'), `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  // Its address has to outlive it.
  const listen = ['--listen', `127.0.0.1:${await freePort()}`];
  const founding = ['init', '--role', 'storage', '--network-name', 'test', ...listen];
  await answerOf('helixmesh', founding, at('vault'));
  vault = await startNetworkNode(at('vault'));
  const genesis = ['--genesis', join(at('vault'), 'network.json')];
  await answerOf('biofs', ['login', '--key-file', at('alice.key'), ...genesis], alice());
});

after(async () => {
  await vault?.stop();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

async function fileOf(name: string): Promise<Buffer> {
  const content = randomBytes(SIZE);
  await writeFile(at(name), content);
  return content;
}

const put = (name: string) => ['put', at(name), '--vault', vault.address];

async function assertStored(dataset: string, content: Buffer): Promise<void> {
  const { stdout, stderr } = await run('biofs', ['cat', dataset], { dataDir: alice() });
  assert.ok(stdout.equals(content), stderr);
}

test('the client is killed at half of the body: the next put sends the other half', async () => {
  const content = await fileOf('one.vcf');
  await run('biofs', put('one.vcf'), { dataDir: alice(), killAt: /storing .* 5\d %/ });
  const [done] = await answerOf('biofs', put('one.vcf'), alice());
  const { status, sentBytes } = done.uploads[0];
  assert.equal(status, 'stored');
  assert.ok(sentBytes <= SIZE / 2 + LOST_BYTES_MAX, `${sentBytes} bytes were sent again`);
  await assertStored(done.dataset, content);
});

test('the vault is killed at half of the body: the same put goes on when it is back', async () => {
  const content = await fileOf('two.vcf');
  let restarted: Promise<NetworkNode> | undefined;
  const restart = async () => {
    await vault.kill();
    return await startNetworkNode(at('vault'));
  };
  const onSaid = (said: string) => {
    if (/storing .* 5\d %/.test(said)) restarted ??= restart();
  };
  const first = await run('biofs', ['--json', ...put('two.vcf')], { dataDir: alice(), onSaid });
  assert.ok(restarted !== undefined, 'the vault was killed');
  vault = await restarted;
  // A machine that is very busy may need longer to start it than the command waits.
  const isThrough = first.code === 0;
  const [done] = isThrough
    ? JSON.parse(first.stdout.toString('utf8'))
    : await answerOf('biofs', put('two.vcf'), alice());
  const { sentBytes } = done.uploads[0];
  const most = isThrough ? SIZE + LOST_BYTES_MAX : SIZE / 2 + LOST_BYTES_MAX;
  assert.ok(sentBytes <= most, `${sentBytes} bytes were sent`);
  await assertStored(done.dataset, content);
});

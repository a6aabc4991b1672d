/**
 * A process for the tests that kill it: does everything that a custody can, says each effect when it
 * is done, and kills itself with SIGKILL when the custody has asked its ports (crypto, clock) for the
 * N-th time, which is in the midst of something. Run again, it goes on.
 *
 *   custody-process FOLDER BACKUP-FILE N     (N = 0: to the end; then it says how often it asked)
 */
import { existsSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  type Crypto,
  encodeDocument,
  fromBase64,
  fromHex,
  parseManifest,
  toBase64,
  toHex,
} from '@helixmesh/protocol/sealing';
import {
  encryptionKeyOf,
  network,
  START_MS,
  sealedDataset,
  signedGrant,
  signedHead,
  walletNamed,
} from '../../testing/sealed-dataset.ts';
import { type Custody, openCustody } from '../custody.ts';
import type { NewDataset } from '../datasets.ts';

const [folder = '', backupFile = '', killAt = '0'] = process.argv.slice(2);
const owner = walletNamed('owner');
const grantee = walletNamed('grantee');
let asked = 0;

function ask(): void {
  asked += 1;
  if (asked === Number(killAt)) process.kill(process.pid, 'SIGKILL');
}

const crypto = Object.fromEntries(
  Object.entries(nodeCrypto).map(([name, primitive]) => [
    name,
    (...args: never[]) => {
      ask();
      return (primitive as (...args: never[]) => unknown)(...args);
    },
  ]),
) as unknown as Crypto;

const now = () => {
  ask();
  return START_MS;
};

/** What the parent relies on from now on: it reads it however this process ends. */
function say(...words: readonly string[]): void {
  writeSync(1, `${words.join(' ')}\n`);
}

/** A dataset that is the same in each run, as a command keeps it in its spool. */
async function spooled(custody: Custody, name: string): Promise<NewDataset & { key: string }> {
  const file = join(folder, `${name}.json`);
  if (!existsSync(file)) {
    const made = await sealedDataset(owner, custody.publicKey);
    const text = JSON.stringify({
      manifest: toBase64(encodeDocument(made.manifest)),
      header: toBase64(made.header),
      partHeader: toBase64(made.partHeader),
      key: toHex(made.keys[0] ?? new Uint8Array()),
    });
    writeFileSync(`${file}.aside`, text);
    renameSync(`${file}.aside`, file);
  }
  const kept = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
  const bytes = (field: string) => fromBase64(kept[field] ?? '', field);
  return {
    manifest: parseManifest(bytes('manifest')),
    header: bytes('header'),
    partHeader: bytes('partHeader'),
    vaults: [],
    key: kept['key'] ?? '',
  };
}

const custody = await openCustody({ folder, crypto, network, now });
say('key', toHex(custody.publicKey));
const signingKey = {
  secretKey: fromHex('11'.repeat(32), { what: 'a key', bytes: 32 }),
  publicKey: nodeCrypto.ed25519PublicKey(new Uint8Array(32).fill(0x11)),
};
const ids = new Map<string, ReturnType<Custody['addDataset']>>();
for (const name of ['kept', 'doomed']) {
  const dataset = await spooled(custody, name);
  const documentIds = custody.listDatasets();
  const known = documentIds.find(({ manifest, state }) => {
    const isIt = manifest.signature === dataset.manifest.signature;
    return isIt && state === 'shredded';
  });
  const id = known?.id ?? custody.addDataset(dataset);
  if (known === undefined) say('added', id, dataset.key);
  ids.set(name, id);
  if (known === undefined) custody.markStored(id);
  say('stored', id);
}
const kept = ids.get('kept');
const doomed = ids.get('doomed');
if (kept === undefined || doomed === undefined) process.exit(1);
const grant = await signedGrant(owner, { dataset: kept, nonce: '0'.repeat(32) });
custody.addGrant({ grant: grant.signed, byteRanges: null });
say('granted', grant.id);
const head = await signedHead(owner, { custodian: toHex(signingKey.publicKey) });
custody.addHead(head.signed);
say('head', head.id);
const { bytes } = await encryptionKeyOf(grantee);
const { status } = custody.release({
  requester: { account: grantee.address, scopes: ['read'] },
  dataset: kept,
  grant: null,
  purpose: { pipeline: 'read', isCommercial: false, zone: 'MX' },
  encryptionKey: bytes,
  custodian: signingKey,
});
say(status, kept);
custody.shred(doomed);
say('shredded', doomed);
const restored = await custody.restore(new Uint8Array(readFileSync(backupFile)), 'a passphrase');
say('restored', String(restored.datasets));
custody.close();
say('asked', String(asked));

/**
 * Makes sessions.json and custodian.json with viem, for the first development account of anvil. In a
 * folder of its own, because viem is no dependency:
 *
 *     npm install --prefix /tmp/viem viem@2.57.1
 *     cp make-wallet.mjs documents.json /tmp/viem && (cd /tmp/viem && node make-wallet.mjs)
 *
 * viem writes the EIP-4361 text and the signatures; nothing of it is from the TypeScript here.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
// biome-ignore-start lint/correctness/noUndeclaredDependencies: installed beside this file for the occasion
import { keccak256, toHex } from 'viem';
import { privateKeyToAccount, sign } from 'viem/accounts';
import { createSiweMessage } from 'viem/siwe';

// biome-ignore-end lint/correctness/noUndeclaredDependencies: as above

const SECRET_KEY = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80';
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const wallet = privateKeyToAccount(SECRET_KEY);
const stranger = privateKeyToAccount(`0x${'11'.repeat(32)}`);
const { network } = JSON.parse(readFileSync('documents.json', 'utf8'));
const otherNetwork = `sha256:${createHash('sha256').update('another network').digest('hex')}`;
const key = createHash('sha256').update('a session of the vectors').digest('hex');
const nonce = '00112233445566778899aabbccddeeff';
const from = 1_700_000_000_000;
const hour = 3_600_000;

/** The other signature of the same message: s in the upper half, the other v. */
function twin(signature) {
  const s = ORDER - BigInt(`0x${signature.slice(66, 130)}`);
  const v = signature.endsWith('1b') ? '1c' : '1b';
  return `${signature.slice(0, 66)}${s.toString(16).padStart(64, '0')}${v}`;
}

const delegation = {
  account: wallet.address.toLowerCase(),
  sessionKey: key,
  network,
  scopes: ['read', 'list', 'put'],
  issuedAtMs: from,
  expiresAtMs: from + 24 * hour,
  nonce,
};
const resources = (id, ...scopes) => [
  `urn:helixmesh:network:${id.slice('sha256:'.length)}`,
  ...scopes.map((scope) => `urn:helixmesh:scope:${scope}`),
];
const fields = {
  domain: 'helixmesh.invalid',
  address: wallet.address,
  statement:
    'Let the key named below sign requests for me in one network, for the purposes listed, until it expires.',
  uri: `urn:helixmesh:session:${key}`,
  version: '1',
  chainId: 1,
  nonce,
  issuedAt: new Date(from),
  expirationTime: new Date(from + 24 * hour),
  resources: resources(network, 'read', 'list', 'put'),
};
const text = createSiweMessage(fields);
const signature = await wallet.signMessage({ message: text });

/** Signed as it stands: what is wrong is what it says, or how. */
async function stated(verdict, why, message) {
  return { message, signature: await wallet.signMessage({ message }), verdict, why };
}
const siwe = (verdict, why, changes) =>
  stated(verdict, why, createSiweMessage({ ...fields, ...changes }));
const spelled = (why, message) => stated('message', why, message);
const signedBy = (why, value) => ({ message: text, signature: value, verdict: 'signature', why });
const until = (ms) => ({ expirationTime: new Date(from + ms) });

const sessions = [
  { message: text, signature, verdict: 'valid', why: 'as viem writes and signs it' },
  await siwe('valid', 'one scope for a minute and a half', {
    ...until(90_000),
    resources: resources(network, 'custody'),
  }),
  signedBy('signed by somebody else', await stranger.signMessage({ message: text })),
  signedBy('the twin with s in the upper half', twin(signature)),
  signedBy(
    'the signature of a session with fewer scopes',
    await wallet.signMessage({
      message: createSiweMessage({ ...fields, resources: resources(network, 'read') }),
    }),
  ),
  signedBy('the text signed without the prefix of EIP-191', await rawSignature(text)),
  await siwe('signature', 'an account that has not signed', { address: stranger.address }),
  await siwe('network', 'in another network', {
    resources: resources(otherNetwork, 'read', 'list', 'put'),
  }),
  await siwe('not_yet', 'issued in an hour', {
    issuedAt: new Date(from + hour),
    ...until(2 * hour),
  }),
  await siwe('expired', 'ended a second ago', until(60_000)),
  await siwe('message', 'longer than a day', until(24 * hour + 1)),
  await siwe('message', 'ends before it begins', until(-1)),
  await siwe('message', 'for another site', { domain: 'helixmesh.example' }),
  await siwe('message', 'another statement', { statement: 'Let me in.' }),
  await siwe('message', 'no statement', { statement: undefined }),
  await siwe('message', 'another resource than a session', { uri: 'https://helixmesh.example/' }),
  await siwe('message', 'on another chain', { chainId: 5 }),
  await siwe('message', 'a short nonce', { nonce: '12345678' }),
  await siwe('message', 'a field more', { requestId: '7' }),
  await siwe('message', 'a beginning beside the issue', { notBefore: new Date(from) }),
  await siwe('message', 'no scope', { resources: resources(network) }),
  await siwe('message', 'a scope that there is not', { resources: resources(network, 'admin') }),
  await siwe('message', 'scopes in another order', {
    resources: resources(network, 'list', 'read'),
  }),
  await siwe('message', 'a scope twice', { resources: resources(network, 'read', 'read') }),
  await siwe('message', 'no network', { resources: resources(network, 'read').slice(1) }),
  await siwe('message', 'two networks', {
    resources: [...resources(network), ...resources(otherNetwork, 'read')],
  }),
  await spelled('the account in lower case', text.replace(wallet.address, delegation.account)),
  await spelled('the key in upper case', text.replace(key, key.toUpperCase())),
  await spelled('a line break behind it', `${text}\n`),
  await spelled('line breaks of another system', text.replaceAll('\n', '\r\n')),
  await spelled('a time without milliseconds', text.replace('.000Z\nExp', 'Z\nExp')),
  await spelled('a time with an offset', text.replace('.000Z\nExp', '.000+00:00\nExp')),
  await spelled(
    'a day that the calendar has not',
    text.replace('Issued At: 2023-11-14', 'Issued At: 2023-11-31'),
  ),
  await spelled('nothing', ''),
];

function rawSignature(message) {
  return sign({ hash: keccak256(toHex(message)), privateKey: SECRET_KEY, to: 'hex' });
}

write('sessions.json', { network, nowMs: from + 61_000, delegation, cases: sessions });

// Custodian statements.

/** RFC 8785 for what stands here: ASCII, integers, text without escapes. */
function canonical(value) {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const members = Object.keys(value).sort();
  return `{${members.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`;
}

function lengthPrefixed(...parts) {
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(Buffer.byteLength(part));
      return [length, Buffer.from(part)];
    }),
  );
}

const custodian = {
  type: 'helixmesh/custodian/v1',
  network,
  owner: delegation.account,
  nodeId: `node_${createHash('sha256').update('a custodian').digest('hex')}`,
  endpoint: { host: 'keys.example.org', port: 7402 },
  encryptionKey: createHash('sha256').update('its encryption key').digest('hex'),
  issuedAtMs: from,
  nonce,
};
const messageOf = (document, type = document.type) => `${type}\n${canonical(document)}`;

async function statement(verdict, why, { claimed = {}, message, by = wallet, change } = {}) {
  const told = message ?? messageOf(custodian);
  const value = await by.signMessage({ message: told });
  const document = { ...custodian, ...claimed };
  const bytes = canonical({ document, signature: change?.(value) ?? value });
  return { bytes, verdict, why };
}
/** Signed as it stands: its shape alone is wrong. */
function malformed(why, claimed) {
  return statement('malformed', why, { claimed, message: messageOf({ ...custodian, ...claimed }) });
}

const elsewhere = { ...custodian, network: otherNetwork };
const good = await statement('valid', 'signed by the owner');
const statements = [
  good,
  await statement('signature', 'another port than was signed', {
    claimed: { endpoint: { host: 'keys.example.org', port: 7403 } },
  }),
  await statement('signature', 'another node than was signed', {
    claimed: { nodeId: `node_${'1'.repeat(64)}` },
  }),
  await statement('signature', 'another key than was signed', {
    claimed: { encryptionKey: '1'.repeat(64) },
  }),
  await statement('signature', 'signed by somebody else', { by: stranger }),
  await statement('signature', 'the twin with s in the upper half', { change: twin }),
  await statement('signature', 'signed without its kind', { message: canonical(custodian) }),
  await statement('signature', 'signed as another kind', {
    message: messageOf(custodian, 'helixmesh/encryption-key/v1'),
  }),
  await statement('signature', 'signed for another network', { message: messageOf(elsewhere) }),
  await statement('network', 'all of it in another network', {
    claimed: elsewhere,
    message: messageOf(elsewhere),
  }),
  await malformed('another type', { type: 'helixmesh/encryption-key/v1' }),
  await malformed('port 0', { endpoint: { host: 'keys.example.org', port: 0 } }),
  await malformed('a host in capitals', { endpoint: { host: 'Keys.example.org', port: 7402 } }),
  await malformed('a host in brackets', { endpoint: { host: '[::1]', port: 7402 } }),
  await malformed('a key in place of a node', { nodeId: '1'.repeat(64) }),
  await malformed('an owner in capitals', { owner: wallet.address }),
  await malformed('an unknown field', { zone: 'EU' }),
  await malformed('a time in seconds and a half', { issuedAtMs: 1.5 }),
  {
    ...good,
    bytes: JSON.stringify(JSON.parse(good.bytes), null, 1),
    verdict: 'malformed',
    why: 'written with line breaks',
  },
];
const id = createHash('sha256')
  .update(
    lengthPrefixed(
      custodian.type,
      Buffer.from(network.slice('sha256:'.length), 'hex'),
      canonical(custodian),
    ),
  )
  .digest('hex');
write('custodian.json', {
  network,
  owner: delegation.account,
  custodian: { id: `sha256:${id}`, cases: statements },
});

function write(name, value) {
  writeFileSync(name, `${JSON.stringify(value, null, 2)}\n`);
}

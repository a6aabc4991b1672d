/**
 * The browser's entry in a browser: Chromium loads the sources with their types stripped and holds
 * the vectors. Skipped where there is no Chromium.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { stripTypeScriptTypes } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import type * as browserEntry from './browser.ts';
import type * as sealing from './sealing.ts';

const CHROMIUM = '/usr/bin/chromium';
const PACKAGE = join(import.meta.dirname, '..');
const skip = existsSync(CHROMIUM) ? false : 'Chromium is not installed';

/** Bare names that the sources and their dependencies import, as Node resolves them. */
const DEPENDENCIES = ['zod', 'canonicalize'];
const NOBLE: Readonly<Record<string, readonly string[]>> = {
  hashes: ['blake2', 'crypto', 'hmac', 'scrypt', 'sha2', 'sha3', 'utils'],
  ciphers: ['chacha', 'crypto', 'utils'],
  curves: ['ed25519', 'secp256k1'],
};

/** Files by the path under which the page asks for them. */
function resolveUrl(url: string): string | undefined {
  const path = normalize(url);
  if (path.startsWith('/package/')) return join(PACKAGE, path.slice('/package/'.length));
  if (path.startsWith('/modules/')) return join(MODULES, path.slice('/modules/'.length));
  return undefined;
}

const MODULES = join(fileURLToPath(import.meta.resolve('@noble/hashes/sha2')), '../../../..');

function importMap(): string {
  const noble = Object.entries(NOBLE).flatMap(([name, parts]) =>
    parts.flatMap((part) => {
      const url = `/modules/@noble/${name}/esm/${part}.js`;
      return ['', '.js'].map((ending) => [`@noble/${name}/${part}${ending}`, url] as const);
    }),
  );
  const others = DEPENDENCIES.map((name) => {
    const path = fileURLToPath(import.meta.resolve(name));
    return [name, `/modules/${path.slice(MODULES.length + 1)}`] as const;
  });
  return JSON.stringify({ imports: Object.fromEntries([...noble, ...others]) });
}

function serve(): Promise<Server> {
  const page = `<!doctype html><script type="importmap">${importMap()}</script>`;
  const server = createServer((request, response) => {
    const file = resolveUrl(request.url ?? '/');
    if (file === undefined) {
      response.setHeader('content-type', 'text/html').end(page);
    } else if (!existsSync(file)) {
      response.writeHead(404).end();
    } else if (/\.[jt]s$/.test(file)) {
      const text = readFileSync(file, 'utf8');
      const code = file.endsWith('.ts') ? stripTypeScriptTypes(text) : text;
      response.setHeader('content-type', 'text/javascript').end(code);
    } else {
      response.end(readFileSync(file));
    }
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

/** Runs in the page, and so uses nothing from around it. */
async function holdVectors(): Promise<Readonly<Record<string, boolean>>> {
  const load = (path: string) => import(path);
  const s: typeof sealing = await load('/package/src/sealing.ts');
  const { portableCrypto: c }: typeof browserEntry = await load('/package/src/browser.ts');
  const bytesOf = async (path: string) =>
    new Uint8Array(await (await fetch(`/package/vectors/${path}`)).arrayBuffer());
  const jsonOf = async (path: string) => JSON.parse(s.textOf(await bytesOf(path), path));

  const expected = await jsonOf('crypt4gh/expected.json');
  const keyFile = s.textOf(await bytesOf('crypt4gh/bob.sec'), 'a key');
  const bob = await s.parseSecretKey(c, keyFile, expected.passphrase);

  async function* source(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000);
  }
  const file = await s.takeHeader(source(await bytesOf('crypt4gh/segments.c4gh')));
  const { dataKeys } = s.openHeader(c, file.header, bob);
  const hasher = c.createSha256();
  let size = 0;
  const open = s.openWithAny(c, dataKeys);
  for await (const piece of s.decryptBody(file.body, { open })) {
    hasher.update(piece);
    size += piece.length;
  }
  const blocks = Array.from({ length: size / 32 + 1 }, (_, k) => c.sha256(s.u32be(k)));

  const key = c.random(32);
  const plaintext = c.random(200_000);
  const sealed = s.toTransformStream((input) => s.encryptBody(c, input, () => key));
  const opened = s.toTransformStream((input) =>
    s.decryptBody(input, { open: s.openWithAny(c, [key]) }),
  );
  const body = new Blob([plaintext.slice()]).stream().pipeThrough(sealed).pipeThrough(opened);
  const back = new Uint8Array(await new Response(body as unknown as string).arrayBuffer());

  const wallet = await jsonOf('wallet.json');
  const requests = await jsonOf('requests.json');
  const { grant } = await jsonOf('documents.json');
  return {
    keyFile: s.toHex(bob.secretKey) === expected.secretKeys.bob,
    crypt4gh: c.equal(hasher.digest(), c.sha256(s.joinBytes(blocks).subarray(0, size))),
    streams: c.equal(back, plaintext),
    grant: s.documentId(c, grant.document) === grant.id,
    wallet: wallet.cases.every(
      (each: { message: string; signature: string; isValid: boolean }) =>
        (s.recoverAddress(c, s.utf8(each.message), each.signature) === wallet.address) ===
        each.isValid,
    ),
    requests: requests.cases.every(
      (each: { facts: { body: string }; authorization: string; isValid: boolean }) => {
        const { body: text, ...rest } = each.facts;
        const facts = { ...rest, network: requests.network, bodySha256: c.sha256(s.utf8(text)) };
        const at = { nowMs: requests.nowMs, guard: s.makeReplayGuard({ startedAtMs: 0 }) };
        const proof = s.parseRequestProof(each.authorization);
        const { status } = s.verifyRequest(c, facts as sealing.RequestFacts, proof, at);
        return (status === 'accepted') === each.isValid;
      },
    ),
  };
}

test('the browser twin holds the vectors in Chromium', { skip }, async () => {
  const server = await serve();
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const held = await page.evaluate(holdVectors);
    assert.deepEqual(
      Object.entries(held).filter(([, isHeld]) => !isHeld),
      [],
    );
    assert.equal(Object.keys(held).length, 6);
  } finally {
    await browser.close();
    server.close();
  }
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, createSecureServer } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeIdentity } from '@helixmesh/daemon/identity';
import { http2Content } from './http2-content.ts';
import { formsOf } from './planted-text.ts';
import { startTcpProxy } from './tcp-proxy.ts';
import { type Directions, openConnection, parseKeyLog } from './tls-traffic.ts';

const PLANTED = 'planted-Name.7';

/** One request with the name in path, header and body, as it was on the wire, and its secrets. */
async function recorded(t: TestContext, ciphers: string) {
  const folder = await mkdtemp(join(tmpdir(), 'hm-tls-'));
  t.after(() => rm(folder, { recursive: true }));
  const { certificatePem: cert, privateKeyPem: key } = await makeIdentity(folder);
  const server = createSecureServer({ cert, key, minVersion: 'TLSv1.3', ciphers });
  let secrets = '';
  server.on('keylog', (line: Buffer) => {
    secrets += line.toString('latin1');
  });
  server.on('stream', (stream) => {
    stream.respond({ ':status': 200 });
    stream.pipe(stream);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const proxy = await startTcpProxy({ target: () => port, recordTo: folder });
  const session = connect(`https://${proxy.endpoint}`, { rejectUnauthorized: false });
  const stream = session.request({ ':method': 'POST', ':path': `/${PLANTED}`, 'x-y': PLANTED });
  stream.end(`${'x'.repeat(100_000)}${PLANTED}`);
  await Promise.all([once(stream, 'end'), stream.resume()]);
  session.close();
  await once(session, 'close');
  await proxy.close();
  server.close();
  const wire: Directions = {
    client: await readFile(join(folder, '1.client')),
    server: await readFile(join(folder, '1.server')),
  };
  return { wire, secrets };
}

test('what went over TLS 1.3 is read with the secrets of an end, under each cipher, and not without', async (t) => {
  const ciphers = ['AES_128_GCM_SHA256', 'AES_256_GCM_SHA384', 'CHACHA20_POLY1305_SHA256'];
  for (const cipher of ciphers) {
    const { wire, secrets } = await recorded(t, `TLS_${cipher}`);
    assert.equal(wire.client.includes(PLANTED), false, 'it is sealed');
    assert.equal(openConnection(wire, parseKeyLog('')), null);
    const opened = openConnection(wire, parseKeyLog(secrets)) ?? assert.fail(cipher);
    const [asked, answered] = [http2Content(opened.client), http2Content(opened.server)];
    for (const { data } of [asked, answered]) {
      assert.equal(data.length, 100_000 + PLANTED.length);
      assert.ok(data.includes(PLANTED));
    }
    const inHeaders = Object.entries(formsOf('a name', PLANTED)).filter(([, form]) =>
      asked.headers.includes(form),
    );
    assert.ok(inHeaders.length > 0, 'it is seen in packed headers');
    // A connection that was cut: what came before is read.
    const cut = { client: wire.client.subarray(0, -5_000), server: wire.server };
    const part = http2Content(openConnection(cut, parseKeyLog(secrets))?.client ?? assert.fail());
    assert.ok(part.data.length > 50_000 && part.data.length < 100_000);
  }
});

test('a name is seen in whatever form it lies', () => {
  const forms = Object.values(formsOf('a name', PLANTED));
  const isSeen = (text: string) => forms.some((form) => Buffer.from(text).includes(form));
  for (const before of ['', 'a', 'ab', 'abc']) {
    const around = `${before}${PLANTED}xyz`;
    assert.ok(isSeen(around));
    assert.ok(isSeen(Buffer.from(around).toString('base64')), `base64 behind ${before.length}`);
    assert.ok(isSeen(Buffer.from(around).toString('base64url')));
    assert.ok(isSeen(Buffer.from(around).toString('hex')));
  }
  assert.ok(!isSeen('planted'));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertMayListen,
  formatEndpoint,
  isLoopback,
  isWildcard,
  parseEndpoint,
} from './endpoint.ts';

test('an endpoint is a host and a port, IPv6 in brackets', () => {
  for (const text of ['127.0.0.1:7400', '[::1]:0', 'vault.example.org:65535']) {
    assert.equal(formatEndpoint(parseEndpoint(text, 'x')), text);
  }
  for (const text of [
    '',
    '7400',
    ':7400',
    '::1:7400',
    '[127.0.0.1]:1',
    'a:65536',
    'a b:1',
    'a:-1',
  ]) {
    assert.throws(() => parseEndpoint(text, 'node.listen'), { code: 'CONFIG_INVALID' }, text);
  }
});

test('loopback is what no other machine reaches, however it is written', () => {
  for (const host of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1', 'localhost']) {
    assert.ok(isLoopback(host), host);
  }
  const others = ['0.0.0.0', '::', '10.0.0.1', '192.168.1.2', '203.0.113.9', '::ffff:10.0.0.1'];
  for (const host of [...others, 'fe80::1', '128.0.0.1', 'example.org']) {
    assert.ok(!isLoopback(host), host);
  }
});

test('only addresses that stand for all are wildcards', () => {
  for (const host of ['0.0.0.0', '::', '0:0:0:0:0:0:0:0', '::ffff:0.0.0.0']) {
    assert.ok(isWildcard(host), host);
  }
  for (const host of ['127.0.0.1', '::1', '10.0.0.0', 'localhost']) {
    assert.ok(!isWildcard(host), host);
  }
});

test('an address that others reach is refused until it is allowed; a name always is', () => {
  for (const host of ['0.0.0.0', '192.168.1.2', '2001:db8::1', '::']) {
    const listen = { host, port: 7400 };
    assert.throws(() => assertMayListen(listen, false), { code: 'CONFIG_INVALID' }, host);
    assertMayListen(listen, true);
  }
  assertMayListen({ host: '::1', port: 7400 }, false);
  const named = { host: 'example.org', port: 7400 };
  assert.throws(() => assertMayListen(named, true), { code: 'CONFIG_INVALID' });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalJson } from '@helixmesh/protocol';
import fc from 'fast-check';
import { nodeIdOf, registrationOf } from '../testing/fleet.ts';
import { registrationSchema } from './registration.ts';
import { tierOf } from './tier.ts';

const good = registrationOf(1);

function isAccepted(change: Readonly<Record<string, unknown>>): boolean {
  return registrationSchema.safeParse({ ...good, ...change }).success;
}

test('a registration survives its canonical JSON', () => {
  assert.ok(isAccepted({}));
  const again = registrationSchema.parse(JSON.parse(canonicalJson(good)));
  assert.equal(canonicalJson(again), canonicalJson(good));
});

test('fields that nobody knows are refused, at every depth', () => {
  assert.equal(isAccepted({ extra: 1 }), false);
  assert.equal(isAccepted({ hardware: { ...good.hardware, extra: 1 } }), false);
  assert.equal(isAccepted({ prices: { ...good.prices, extra: 1 } }), false);
  assert.equal(isAccepted({ location: { ...good.location, altitude: 1 } }), false);
});

test('what is missing, fractional, negative or too large is refused', () => {
  for (const field of Object.keys(good)) {
    const { [field as keyof typeof good]: _, ...rest } = good;
    assert.equal(registrationSchema.safeParse(rest).success, false, field);
  }
  const { hardware, prices } = good;
  assert.equal(isAccepted({ hardware: { ...hardware, cores: 1.5 } }), false);
  assert.equal(isAccepted({ hardware: { ...hardware, cores: 5_000 } }), false);
  assert.equal(isAccepted({ hardware: { ...hardware, sandbox: 'stronger' } }), false);
  assert.equal(isAccepted({ prices: { ...prices, coreHourMicroUsd: 0.5 } }), false);
  assert.equal(isAccepted({ prices: { ...prices, coreHourMicroUsd: -1 } }), false);
  assert.equal(isAccepted({ location: { latitude: 91, longitude: 0 } }), false);
  assert.equal(isAccepted({ endpoint: 'http://node.example' }), false);
  assert.equal(isAccepted({ operator: `0x${'A'.repeat(40)}` }), false);
  assert.equal(isAccepted({ services: ['trio', 'trio'] }), false);
  assert.equal(isAccepted({ expiresAtMs: good.issuedAtMs }), false);
});

test('nothing that a registration says can move the cursor of a terminal', () => {
  const { hardware } = good;
  const isModel = (model: string) =>
    isAccepted({ hardware: { ...hardware, gpus: [{ model, vramBytes: 1 }] } });
  assert.ok(isModel('NVIDIA A100-SXM4-80GB'));
  assert.equal(isModel('A\rB'), false);
  for (const text of ['\x1b[2J', '\u202e', '\u009b1m', 'ä']) {
    assert.equal(isModel(`A${text}B`), false);
    assert.equal(isAccepted({ endpoint: `https://node.example/a${text}b` }), false);
  }
});

test('a zone stated by another operator, about another node or in another network is refused', () => {
  const { zoneStatement } = good;
  assert.ok(zoneStatement !== null);
  const { document } = zoneStatement;
  const isStated = (change: Readonly<Record<string, unknown>>) =>
    isAccepted({ zoneStatement: { ...zoneStatement, document: { ...document, ...change } } });
  assert.ok(isStated({}));
  assert.equal(isStated({ operator: `0x${'9'.repeat(40)}` }), false);
  assert.equal(isStated({ nodeId: nodeIdOf(2) }), false);
  assert.equal(isStated({ network: `sha256:${'9'.repeat(64)}` }), false);
  assert.equal(isStated({ type: good.type }), false);
  assert.ok(isAccepted({ zoneStatement: null }));
  for (const zones of [[], ['EU', 'DE'], ['DE', 'DE'], ['Germany']]) {
    assert.equal(isStated({ zones }), false);
  }
});

test('tiers follow the capability matrix of the seed', () => {
  const TB = 1e12;
  const gpus = [{ model: 'A100', vramBytes: 80e9 }];
  const tier = (diskBytes: number, gpu: boolean, services: readonly string[] = []) =>
    tierOf({ hardware: { diskBytes, gpus: gpu ? gpus : [] }, services });
  assert.equal(tier(1 * TB, false), 'basic');
  assert.equal(tier(5 * TB, true), 'gpu');
  assert.equal(tier(50 * TB, false), 'storage');
  assert.equal(tier(10 * TB, true, ['alphagenome']), 'ai');
  assert.equal(tier(9 * TB, true, ['alphagenome']), 'gpu');
  assert.equal(tier(50 * TB, true, ['trio']), 'gpu');
});

test('no text breaks the parser', () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      assert.equal(registrationSchema.safeParse(value).success, false);
    }),
  );
});

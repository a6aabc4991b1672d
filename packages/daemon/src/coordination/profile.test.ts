import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { AppError } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { encodeDocument, KEY_BYTES, signDocument, walletOf } from '@helixmesh/protocol/sealing';
import {
  nodeIdSchema,
  operatorIdSchema,
  registrationSchema,
  ZONE_STATEMENT_BYTES_MAX,
  ZONE_STATEMENT_TYPE,
  type ZoneStatement,
} from '@helixmesh/scheduler';
import { registrationOf } from '@helixmesh/scheduler/testing/fleet';
import { NETWORK } from '../network/testing/test-node.ts';
import { loadConfig } from '../node/config.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { profileOf, readZoneStatement, ZONE_STATEMENT_FILE } from './profile.ts';

const folder = temporaryFolder('profile');
const endpoint = { host: '::1', port: 7400 };
const isInvalid = (error: unknown) => error instanceof AppError && error.code === 'CONFIG_INVALID';

function configOf(flags: Readonly<Record<string, unknown>>) {
  return loadConfig({ env: {}, flags: { dataDir: folder, ...flags } }).config;
}

test('settings become a profile that a registration takes', () => {
  const operator = `0x${'a'.repeat(40)}`;
  const config = configOf({ operator, location: '19.43,-99.13', cores: 3, priceCoreHour: 40_000 });
  const profile = profileOf(config, { endpoint, zoneStatement: null });
  assert.equal(profile.endpoint, 'https://[::1]:7400');
  assert.deepEqual(profile.location, { latitude: 19.43, longitude: -99.13 });
  assert.equal(profile.slots, 3);
  assert.equal(profile.prices.coreHourMicroUsd, 40_000);
  registrationSchema.parse({ ...registrationOf(1), ...profile });
});

test('a node that nobody answers for does not register', () => {
  assert.throws(() => profileOf(configOf({}), { endpoint, zoneStatement: null }), isInvalid);
});

test('a zone statement is read as it was signed; none is none, and nonsense is told', async () => {
  const wallet = walletOf(nodeCrypto, nodeCrypto.random(KEY_BYTES));
  const signed = await signDocument<ZoneStatement>(wallet, {
    type: ZONE_STATEMENT_TYPE,
    network: NETWORK,
    nodeId: nodeIdSchema.parse(`node_${'0'.repeat(64)}`),
    operator: operatorIdSchema.parse(wallet.address),
    zones: ['EU'],
    untilMs: 1,
  });
  assert.equal(await readZoneStatement(folder), null);
  const file = join(folder, ZONE_STATEMENT_FILE);
  writeFileSync(file, encodeDocument(signed));
  assert.deepEqual(await readZoneStatement(folder), signed);
  writeFileSync(file, `${Buffer.from(encodeDocument(signed))}\n`);
  assert.deepEqual(await readZoneStatement(folder), signed);
  for (const text of ['', '{}', 'x'.repeat(2 * ZONE_STATEMENT_BYTES_MAX)]) {
    writeFileSync(file, text);
    await assert.rejects(readZoneStatement(folder), isInvalid);
  }
  const other = join(folder, 'other');
  mkdirSync(join(other, ZONE_STATEMENT_FILE), { recursive: true });
  await assert.rejects(readZoneStatement(other), isInvalid);
});

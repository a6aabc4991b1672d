import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { OpenRequestSchema, RenewRequestSchema } from '@helixmesh/protocol/bionfs';
import { encodeDocument, toBase64 } from '@helixmesh/protocol/sealing';
import { messageSha256, sentError } from './wire.ts';

test('what a node says cannot move the cursor of whoever reads it', () => {
  const record = { code: 'CONFLICT', message: 'no\x1b[2J\u202eeno', hint: 'Run\r\nrm' };
  const error = sentError(toBase64(encodeDocument(record)));
  assert.deepEqual(error?.toRecord(), {
    code: 'CONFLICT',
    message: 'no\ufffd[2J\ufffdeno',
    hint: 'Run\ufffd\ufffdrm',
  });
  assert.equal(sentError('?'), undefined);
  assert.equal(sentError(null), undefined);
});

test('a message has one hash, however it was spelled, and none with fields that nobody knows', () => {
  const bare = create(OpenRequestSchema, { objectId: 'x' });
  const spelled = create(OpenRequestSchema, { grants: [], objectId: 'x', ranges: [] });
  const hash = messageSha256(OpenRequestSchema, bare);
  assert.deepEqual(messageSha256(OpenRequestSchema, spelled), hash);
  const other = create(OpenRequestSchema, { objectId: 'y' });
  assert.notDeepEqual(messageSha256(OpenRequestSchema, other), hash);
  const unknown = { no: 99, wireType: 0, data: Uint8Array.of(1) };
  const strange = create(OpenRequestSchema, { objectId: 'x', purpose: { pipeline: 'read' } });
  assert.ok(strange.purpose);
  strange.purpose.$unknown = [unknown];
  assert.equal(messageSha256(OpenRequestSchema, strange), undefined);
  const renewal = create(RenewRequestSchema, {});
  renewal.$unknown = [unknown];
  assert.equal(messageSha256(RenewRequestSchema, renewal), undefined);
});

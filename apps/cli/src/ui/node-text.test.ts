import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type NodeView, nodeViewSchema } from '@helixmesh/protocol/sealing';
import { nodeTable, nodeText } from './node-text.ts';

const NOW_MS = 1_800_000_000_000;
const EVIL = '\u001b[2J\u009b1m\u202e\r';

const node: NodeView = nodeViewSchema.parse({
  nodeId: `node_${'a'.repeat(64)}`,
  operator: `0x${'b'.repeat(40)}`,
  endpoint: `https://node.example/${EVIL}`,
  zones: ['DE', 'EU'],
  tier: `gpu${EVIL}`,
  services: [`trio${EVIL}`],
  admission: `registered${EVIL}`,
  reason: { code: 'ACCESS_REFUSED', message: `no statement${EVIL}` },
  liveness: `online${EVIL}`,
  cores: 32,
  memoryBytes: 2 ** 37,
  diskBytes: 2 ** 40,
  gpus: [{ model: `A100${EVIL}`, vramBytes: 2 ** 36 }],
  tools: { [`bwa${EVIL}`]: `0.7.17${EVIL}` },
  sandbox: `strong${EVIL}`,
  slots: 4,
  runningAttempts: 1,
  uptimeBps: 9_999,
  lastHeartbeatAtMs: NOW_MS - 9_000,
  expiresAtMs: NOW_MS,
});

test('a node is one line of a table and a page of its own', () => {
  const [, row = ''] = nodeTable([node], NOW_MS).split('\n');
  assert.match(row, /^node_a{12} .* DE EU +32 +128\.0 GiB +1 +1\/4 +99\.99 % +9\.0 s ago$/);
  assert.match(nodeText(node, NOW_MS), /^ {2}running +1 of 4$/m);
  assert.match(nodeText(node, NOW_MS), /^ {2}because +no statement/m);
  assert.doesNotMatch(nodeText({ ...node, reason: null }, NOW_MS), /because/);
});

test('nothing that a node or a coordinator says moves the cursor', () => {
  const colors = new RegExp(`${String.fromCharCode(27)}\\[[0-9]{1,2}m`, 'g');
  for (const text of [nodeTable([node], NOW_MS), nodeText(node, NOW_MS)]) {
    assert.doesNotMatch(text.replace(colors, ''), /[^\P{Cc}\n]|\p{Cf}/u);
  }
});

/** Nodes of the network, as people read them. */
import type { NodeView } from '@helixmesh/protocol/sealing';
import { ago, bytes, dateTime, shortParty } from './format.ts';
import { printable } from './printable.ts';
import { green, red, yellow } from './style.ts';
import { pairs, table } from './table.ts';

export function nodeTable(nodes: readonly NodeView[], nowMs: number): string {
  const columns = [
    { title: 'node' },
    { title: 'state' },
    { title: 'admission' },
    { title: 'zones' },
    { title: 'cores', align: 'right' as const },
    { title: 'memory', align: 'right' as const },
    { title: 'GPUs', align: 'right' as const },
    { title: 'running', align: 'right' as const },
    { title: 'uptime', align: 'right' as const },
    { title: 'last heard' },
  ];
  const rows = nodes
    .map(printableNode)
    .map((node) => [
      shortParty(node.nodeId),
      colored(node.liveness),
      node.admission,
      node.zones.join(' '),
      String(node.cores),
      bytes(node.memoryBytes),
      String(node.gpus.length),
      `${node.runningAttempts}/${node.slots}`,
      uptime(node),
      heard(node, nowMs),
    ]);
  return table(columns, rows);
}

export function nodeText(told: NodeView, nowMs: number): string {
  const node = printableNode(told);
  const tools = Object.entries(node.tools).map(([name, version]) => `${name} ${version}`);
  const gpus = node.gpus.map(({ model, vramBytes }) => `${model}, ${bytes(vramBytes)}`);
  return pairs([
    ['node', node.nodeId],
    ['state', colored(node.liveness)],
    ['admission', node.admission],
    ...(node.reason === null ? [] : [['because', node.reason.message] as const]),
    ['last heard', heard(node, nowMs)],
    ['uptime', uptime(node)],
    ['running', `${node.runningAttempts} of ${node.slots}`],
    ['operator', node.operator],
    ['endpoint', node.endpoint],
    ['zones', node.zones.join(', ') || 'none that its operator has signed'],
    ['tier', node.tier],
    ['services', node.services.join(', ') || 'none'],
    ['cores', String(node.cores)],
    ['memory', bytes(node.memoryBytes)],
    ['disk', bytes(node.diskBytes)],
    ['GPUs', gpus.join('; ') || 'none'],
    ['tools', tools.join(', ') || 'none'],
    ['sandbox', node.sandbox],
    ['registered', `until ${dateTime(node.expiresAtMs)}`],
  ]);
}

/** What nodes and coordinators say of themselves must not move the cursor of who reads it. */
function printableNode(node: NodeView): NodeView {
  const { tools, ...rest } = node;
  const text = JSON.stringify({ ...rest, tools: Object.entries(tools) });
  const clean = JSON.parse(text, (_key, value: unknown) =>
    typeof value === 'string' ? printable(value) : value,
  );
  return { ...clean, tools: Object.fromEntries(clean.tools) };
}

function colored(liveness: string): string {
  if (liveness === 'offline') return red(liveness);
  return liveness === 'online' ? green(liveness) : yellow(liveness);
}

/** `99.87 %`: rounded down, so that 100 % is all of the time. */
function uptime({ uptimeBps }: NodeView): string {
  return `${(uptimeBps / 100).toFixed(2)} %`;
}

function heard({ lastHeartbeatAtMs }: NodeView, nowMs: number): string {
  return lastHeartbeatAtMs === null ? 'never' : ago(lastHeartbeatAtMs, nowMs);
}

/**
 * Which tools all replicas of a task shall have. The hash of a job holds the exact version of every
 * tool of the machine, so nodes agree only where all of them are the same: neither another version
 * nor one tool more.
 *
 * A node's registered tools as a whole are therefore told to the scheduler as one more service of
 * the node, whose name is a digest of them.
 */
import { canonicalJson } from '@helixmesh/protocol';
import { type Crypto, type NetworkJob, toHex, utf8 } from '@helixmesh/protocol/sealing';
import { compareIds, type NodeFacts } from '@helixmesh/scheduler';

export type ToolVersions = Readonly<Record<string, string>>;

/** Tools that every germline analysis runs; aligner and caller come with the job's parameters. */
const ALWAYS = ['bcftools', 'bgzip', 'fastp', 'helixmesh', 'samtools', 'tabix'] as const;
const SERVICE_DIGITS = 16;

/** The service that a node with exactly these tools has. */
export function toolsService(crypto: Crypto, tools: ToolVersions): string {
  const digest = toHex(crypto.sha256(utf8(canonicalJson(tools))));
  return `tools.${digest.slice(0, SERVICE_DIGITS)}`;
}

/** What the request asks for where no node could do the work at all. */
export const NO_TOOLS_SERVICE = 'tools.complete';

/**
 * The tools of most operators among the nodes that could do the job now, then of most nodes; null
 * where none could. Equal nodes give the same choice in any order.
 */
export function commonTools(
  nodes: readonly NodeFacts[],
  parameters: NetworkJob['parameters'],
): ToolVersions | null {
  const required = requiredTools(parameters);
  const able = nodes.filter(
    ({ admission, liveness, tools }) =>
      admission === 'available' &&
      liveness !== 'offline' &&
      required.every((name) => Object.hasOwn(tools, name)),
  );
  const groups = [...Map.groupBy(able, ({ tools }) => canonicalJson(tools))].map(
    ([text, members]) => ({
      text,
      nodes: members.length,
      operators: new Set(members.map(({ operator }) => operator)).size,
    }),
  );
  const [best] = groups.sort(
    (a, b) => b.operators - a.operators || b.nodes - a.nodes || compareIds(a.text, b.text),
  );
  return best === undefined ? null : (JSON.parse(best.text) as ToolVersions);
}

function requiredTools({ aligner, caller }: NetworkJob['parameters']): readonly string[] {
  const calls = caller === 'bcftools' ? 'bcftools' : 'freebayes';
  return [...ALWAYS, aligner === 'minimap2' ? 'minimap2' : 'bwa', calls];
}

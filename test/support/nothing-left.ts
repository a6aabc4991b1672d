/** That a network has left nothing of its samples behind that could be read, after it was stopped. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { searchPlaintext, searchTraffic, sendControl } from './plaintext-search.ts';
import { formsOf } from './planted-text.ts';
import type { ProxiedNetwork } from './proxied-network.ts';
import type { Samples } from './sealed-samples.ts';

/** Stops the nodes. The sample was analysed on this machine alone too, which is the control. */
export async function assertNothingLeft(network: ProxiedNetwork, samples: Samples): Promise<void> {
  await sendControl(network.node('vault'));
  await Promise.all(network.nodes.map((node) => node.stop()));
  const isSearched = (path: string) =>
    path.startsWith(join(network.folder, 'net')) && !path.includes('/references/');
  const { found, traces, bytes } = await searchPlaintext(
    network.traces(isSearched),
    samples.needles,
  );
  assert.deepEqual(found, []);
  const isPlain = (path: string) => /\/alone-|_R1\.fastq\.gz$/.test(path);
  const control = await searchPlaintext(network.traces(isPlain), samples.needles);
  for (const seen of [/\/alone-.*\.bam: a name$/, /: read 0 of /, /: the packed reads /]) {
    assert.ok(
      control.found.some((each) => seen.test(each)),
      `${seen} is seen where it is`,
    );
  }
  assert.ok(traces > 30 && bytes > 1_000_000, `${traces} traces, ${bytes} bytes`);
  await assertNothingSent(network, samples);
}

/** What went between the nodes, opened: ids are in it, and no names and no reads. */
async function assertNothingSent(network: ProxiedNetwork, { all, needles }: Samples) {
  const traffic = await searchTraffic(network, { needles, to: 'vault' });
  assert.deepEqual(traffic.found, []);
  const [dataset = assert.fail()] = all[0]?.datasets ?? [];
  const ids = await searchPlaintext(network.insideTls(), formsOf('a dataset', dataset));
  for (const name of ['vault', 'owner', 'coordinator']) {
    assert.ok(
      ids.found.some((each) => each.includes(`/${name}/`)),
      `ids are seen at ${name}`,
    );
  }
}

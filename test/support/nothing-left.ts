/** That a network has left nothing of its samples behind that could be read, after it was stopped. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { searchPlaintext } from './plaintext-search.ts';
import type { ProxiedNetwork } from './proxied-network.ts';
import type { Samples } from './sealed-samples.ts';

/** Stops the nodes. The sample was analysed on this machine alone too, which is the control. */
export async function assertNothingLeft(network: ProxiedNetwork, samples: Samples): Promise<void> {
  await Promise.all(network.nodes.map((node) => node.stop()));
  const isOfNodes = (path: string) =>
    path.startsWith(join(network.folder, 'net')) || !path.startsWith(network.folder);
  const isSearched = (path: string) => isOfNodes(path) && !path.includes('/references/');
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
  assert.ok(traces > 30 && bytes > 2_000_000, `${traces} traces, ${bytes} bytes`);
}

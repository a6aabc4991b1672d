/** A job of the network that its requester could sign, for tests that need no more of it. */
import type { Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { NETWORK_JOB_TYPE, type NetworkJob, nodeIdOf, toHex } from '@helixmesh/protocol/sealing';

const HOUR_MS = 3_600_000;
const NODE = nodeIdOf('0'.repeat(64));

export function networkJob(
  change: Partial<NetworkJob> & { readonly network: Digest; readonly requester: string },
): NetworkJob {
  const issuedAtMs = Date.now();
  const address = `${NODE}@127.0.0.1:7400`;
  const dataset = change.network;
  return {
    type: NETWORK_JOB_TYPE,
    coordinator: NODE,
    chainId: null,
    nonce: toHex(nodeCrypto.random(16)),
    issuedAtMs,
    expiresAtMs: issuedAtMs + HOUR_MS,
    datasets: [{ dataset, grant: null, custodian: address, vaults: [address] }],
    pipeline: { name: 'germline', version: 1 },
    parameters: { reference: dataset, r1: dataset },
    constraints: {
      zones: null,
      operators: null,
      isCommercial: false,
      needsStrongSandbox: true,
      onShortfall: 'wait',
    },
    redundancy: 1,
    replicasMax: 1,
    maxPriceMicroUsd: '0',
    outputCustodian: { owner: change.requester, nodeId: NODE, encryptionKey: '0'.repeat(64) },
    ...change,
  };
}

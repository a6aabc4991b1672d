/** The coordinator and the reference of an analysis, as their person names them. */
import { readNetworkFile } from '@helixmesh/daemon/identity';
import { listReferences } from '@helixmesh/pipelines';
import { AppError, DIGEST_PATTERN, type Digest } from '@helixmesh/protocol';
import { type NodeAddress, parseNodeAddress } from '@helixmesh/protocol/sealing';
import type { Context } from '../../context.ts';

/** Throws USAGE where none is known, PEER_NOT_TRUSTED for one that the network does not name. */
export async function findCoordinator(
  context: Context,
  given: string | undefined,
): Promise<NodeAddress> {
  const text = given ?? context.loaded.config.coordinator;
  if (text === null) {
    throw new AppError('USAGE', 'no coordinator is known', {
      hint: 'Give --coordinator node_<64 hex digits>@host:port, or set network.coordinator.',
    });
  }
  const address = parseNodeAddress(text);
  const { genesis } = await readNetworkFile(context.paths.networkFile);
  if (genesis.coordinators.includes(address.nodeId)) return address;
  throw new AppError('PEER_NOT_TRUSTED', `${address.nodeId} is no coordinator of the network`, {
    hint: `Coordinators of ${genesis.name}: ${genesis.coordinators.join(', ') || 'none'}.`,
  });
}

/** A name of a reference in this folder, or a digest of one that nodes have. Throws NOT_FOUND. */
export async function findReference(
  context: Context,
  nameOrDigest: string,
): Promise<{ readonly name: string; readonly digest: Digest }> {
  if (DIGEST_PATTERN.test(nameOrDigest)) {
    return { name: nameOrDigest, digest: nameOrDigest as Digest };
  }
  const known = await listReferences(context.paths.referenceRoot);
  const found = known.find(({ name }) => name === nameOrDigest);
  if (found !== undefined) return { name: nameOrDigest, digest: found.digest };
  throw new AppError('NOT_FOUND', `no reference ${JSON.stringify(nameOrDigest)} in this folder`, {
    hint:
      'Give its digest, which `helixmesh reference show` prints at a node that has it, or prepare ' +
      'it here with `helixmesh reference add`.',
  });
}

/** `network.json` of a data folder: the genesis document of the network that it belongs to. */
import { open } from 'node:fs/promises';
import { AppError, type Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { type Genesis, networkId, parseGenesis } from '@helixmesh/protocol/sealing';
import { NETWORK_FILE_BYTES_MAX } from './limits.ts';

export interface Network {
  readonly id: Digest;
  readonly genesis: Genesis;
}

/** Throws CONFIG_INVALID where there is none, or something else. */
export async function readNetworkFile(path: string): Promise<Network> {
  const genesis = parsed(await readShort(path), path);
  return { genesis, id: networkId(nodeCrypto, genesis) };
}

async function readShort(path: string): Promise<Uint8Array> {
  const file = await open(path).catch((cause: unknown) => {
    throw new AppError('CONFIG_INVALID', `cannot read ${path}`, {
      hint: 'Found a network with `helixmesh init`, or join one with the network.json of its nodes.',
      cause,
    });
  });
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(NETWORK_FILE_BYTES_MAX));
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function parsed(bytes: Uint8Array, path: string): Genesis {
  try {
    return parseGenesis(bytes);
  } catch (cause) {
    throw new AppError('CONFIG_INVALID', `${path} is not a genesis document`, {
      hint: 'Copy network.json anew, unchanged, from a node of the network.',
      cause,
    });
  }
}

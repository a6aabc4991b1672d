/** Destroying a dataset: its keys first, then its body wherever it lies. */
import { AppError, type Digest } from '@helixmesh/protocol';
import {
  encodeDocument,
  formatNodeAddress,
  signDocument,
  TOMBSTONE_TYPE,
  type Tombstone,
  type WalletSigner,
} from '@helixmesh/protocol/sealing';
import { findOwn } from './find-dataset.ts';
import type { Person } from './person.ts';

export interface Shredded {
  readonly dataset: Digest;
  readonly vaults: readonly {
    readonly vault: string;
    /** `absent`: it was not there. A code: that vault could not be asked; its copy opens for nobody. */
    readonly outcome: string;
  }[];
}

/** The wallet signs that the dataset is to go; the custodian tells vaults that are away now. */
export async function shredDataset(
  person: Person,
  text: string,
  wallet: WalletSigner,
): Promise<Shredded> {
  const { custody, network } = person;
  const { id, vaults } = findOwn(custody, text);
  const signed = await signDocument<Tombstone>(wallet, {
    type: TOMBSTONE_TYPE,
    network,
    owner: wallet.address,
    object: id,
    issuedAtMs: Date.now(),
  });
  custody.addTombstone(signed);
  custody.shred(id);
  const tombstone = encodeDocument(signed);
  const outcomes = await Promise.all(
    vaults.map(async (address) => ({
      vault: formatNodeAddress(address),
      outcome: await removed(person, { id, tombstone }, address),
    })),
  );
  return { dataset: id, vaults: outcomes };
}

async function removed(
  person: Person,
  { id, tombstone }: { readonly id: Digest; readonly tombstone: Uint8Array },
  address: Parameters<Person['vault']>[0],
): Promise<string> {
  try {
    const wasThere = await person.vault(address).remove(id, tombstone, person.signal);
    person.custody.noteRemoved(id, address);
    return wasThere ? 'deleted' : 'absent';
  } catch (error) {
    person.signal.throwIfAborted();
    return AppError.from(error).code;
  }
}

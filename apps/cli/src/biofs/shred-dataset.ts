/** Destroying a dataset: its keys first, then its body wherever it lies. */
import { AppError, type Digest } from '@helixmesh/protocol';
import { formatNodeAddress } from '@helixmesh/protocol/sealing';
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

export async function shredDataset(person: Person, text: string): Promise<Shredded> {
  const { id, vaults } = findOwn(person.custody, text);
  person.custody.shred(id);
  const outcomes = await Promise.all(
    vaults.map(async (address) => ({
      vault: formatNodeAddress(address),
      outcome: await removed(person, id, address),
    })),
  );
  return { dataset: id, vaults: outcomes };
}

async function removed(
  person: Person,
  id: Digest,
  address: Parameters<Person['vault']>[0],
): Promise<string> {
  try {
    return (await person.vault(address).remove(id, person.signal)) ? 'deleted' : 'absent';
  } catch (error) {
    person.signal.throwIfAborted();
    return AppError.from(error).code;
  }
}

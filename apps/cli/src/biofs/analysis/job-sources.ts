/**
 * The datasets of a job: whom to ask for their keys and bodies, on which grant, and what shows the
 * coordinator that it is so.
 */
import { AppError } from '@helixmesh/protocol';
import {
  custodianAddress,
  type DatasetEvidence,
  encodeDocument,
  formatNodeAddress,
  type GrantRefusal,
  grantRefusals,
  type NetworkJob,
  toBase64,
} from '@helixmesh/protocol/sealing';
import { type FoundDataset, shortId } from '../find-dataset.ts';
import type { Person } from '../person.ts';

export interface JobSource {
  readonly dataset: NetworkJob['datasets'][number];
  readonly evidence: DatasetEvidence;
}

export interface SourceUse {
  readonly pipeline: string;
  readonly isCommercial: boolean;
}

/** Throws USAGE, CONFIG_INVALID, and ACCESS_REFUSED where no grant allows the use. */
export function jobSourceOf(person: Person, found: FoundDataset, use: SourceUse): JobSource {
  return found.kind === 'own'
    ? ownSource(person, found.dataset)
    : grantedSource(person, found, use);
}

function ownSource(
  { custody, login }: Person,
  dataset: Extract<FoundDataset, { kind: 'own' }>['dataset'],
): JobSource {
  if (dataset.state !== 'stored') {
    throw new AppError('USAGE', `dataset ${shortId(dataset.id)} is ${dataset.state}`, {
      hint: 'Run the `biofs put` that was broken off again; a shredded dataset is gone for good.',
    });
  }
  const custodian = custody.custodianOf(login.account)?.document;
  if (custodian === undefined) {
    throw new AppError('CONFIG_INVALID', 'nobody would release the keys: you have no custodian', {
      hint: 'Make one with `helixmesh init --role custodian`, and log in again.',
    });
  }
  return {
    dataset: {
      dataset: dataset.id,
      grant: null,
      custodian: formatNodeAddress(custodianAddress(custodian)),
      vaults: dataset.vaults.map(formatNodeAddress),
    },
    evidence: { manifest: toBase64(encodeDocument(dataset.manifest)), grant: null },
  };
}

/** The latest grant that allows the use; where, the coordinator decides among the nodes. */
function grantedSource(
  { login }: Person,
  { received }: Extract<FoundDataset, { kind: 'granted' }>,
  use: SourceUse,
): JobSource {
  const refused = new Set<string>();
  for (const { id, invitation } of received) {
    const { grant, manifest, custodian, vaults } = invitation;
    const { dataset, regions } = grant.document;
    const refusals = grantRefusals(grant.document, {
      ...use,
      dataset,
      owner: manifest.document.owner,
      user: login.account,
      zone: '',
      nowMs: Date.now(),
    }).filter((refusal) => refusal !== 'zone');
    for (const refusal of refusals) refused.add(REFUSALS[refusal] ?? refusal);
    if (regions !== null) refused.add('it is of a part only');
    if (refusals.length > 0 || regions !== null) continue;
    return {
      dataset: {
        dataset,
        grant: id,
        custodian: formatNodeAddress(custodianAddress(custodian.document)),
        vaults: [...vaults],
      },
      evidence: {
        manifest: toBase64(encodeDocument(manifest)),
        grant: toBase64(encodeDocument(grant)),
      },
    };
  }
  throw new AppError('ACCESS_REFUSED', `the grant does not allow it: ${[...refused].join(', ')}`, {
    hint: 'Ask the owner for a grant of the whole dataset for this pipeline and use.',
  });
}

const REFUSALS: Partial<Record<GrantRefusal, string>> = {
  expired: 'it has ended',
  not_yet: 'it has not begun',
  pipeline: 'it is for other pipelines',
  commercial_use: 'it is not for commercial use',
};

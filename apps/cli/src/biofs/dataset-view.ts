/** What `ls` and `stat` say of a dataset. */
import assert from 'node:assert/strict';
import { partOf } from '@helixmesh/client/biofs';
import type { Dataset, ReceivedGrant } from '@helixmesh/daemon/custody';
import type { Digest } from '@helixmesh/protocol';
import {
  formatNodeAddress,
  type Manifest,
  type Region,
  type SealedPart,
} from '@helixmesh/protocol/sealing';
import { type FoundDataset, shortId } from './find-dataset.ts';
import type { Person } from './person.ts';
import { termsText } from './terms-options.ts';

export interface DatasetView {
  readonly dataset: Digest;
  readonly shortId: string;
  readonly owner: string;
  /** `pending`: the keys are here, no vault has the body yet. `granted`: somebody else's. */
  readonly state: 'pending' | 'stored' | 'shredded' | 'granted';
  /** Null where the keys are with somebody else, or destroyed. */
  readonly fileName: string | null;
  readonly mediaType: string | null;
  readonly sizeBytes: number;
  readonly bodyCid: string;
  readonly addedAtMs: number;
  readonly residency: readonly string[] | null;
  readonly terms: Manifest['terms'];
  readonly termsText: string;
  readonly hasRegionGrants: boolean;
  /** Of a grant to parts: these, 1-based with both ends in; null for all of it. */
  readonly regions: readonly string[] | null;
  /** Addresses. */
  readonly vaults: readonly string[];
  /** Ids of grants: those given, or those received, the latest first. */
  readonly grants: readonly Digest[];
}

export function listViews(person: Person): DatasetView[] {
  const { custody } = person;
  const own = custody.listDatasets().map((dataset) => ({ kind: 'own', dataset }) as const);
  const received = Map.groupBy(custody.listInvitations(), ({ invitation }) => {
    return invitation.grant.document.dataset;
  });
  const granted = [...received.values()].map((all) => {
    return { kind: 'granted', received: all.reverse() } as const;
  });
  return [...own, ...granted].map((found) => viewOf(person, found));
}

/** One's own datasets whose keys are here, with the names of their files. */
export function datasetNames(
  person: Person,
): readonly { readonly dataset: Dataset; readonly fileName: string }[] {
  return person.custody
    .listDatasets()
    .filter(({ state }) => state !== 'shredded')
    .map((dataset) => ({ dataset, fileName: ownPart(person, dataset).fileName }));
}

export function viewOf(person: Person, found: FoundDataset): DatasetView {
  return found.kind === 'own' ? ownView(person, found.dataset) : grantedView(found.received);
}

function ownView(person: Person, dataset: Dataset): DatasetView {
  const { id, manifest, state, vaults, addedAtMs } = dataset;
  const part = state === 'shredded' ? undefined : ownPart(person, dataset);
  return {
    ...manifestView(id, manifest.document),
    state,
    fileName: part?.fileName ?? null,
    mediaType: part?.mediaType ?? null,
    addedAtMs,
    regions: null,
    vaults: vaults.map(formatNodeAddress),
    grants: person.custody.listGrants(id).map((grant) => grant.id),
  };
}

function ownPart({ crypto, custody, identity }: Person, { id, manifest }: Dataset): SealedPart {
  const reader = identity.encryptionKey;
  return partOf(crypto, manifest.document, custody.openOwn(id, reader.publicKey), reader);
}

/** Of several grants the latest one is shown; reading takes the first that holds. */
function grantedView(received: readonly ReceivedGrant[]): DatasetView {
  const [latest] = received;
  assert(latest !== undefined, 'a granted dataset has a grant');
  const { invitation, addedAtMs } = latest;
  const { grant, manifest, vaults } = invitation;
  return {
    ...manifestView(grant.document.dataset, manifest.document),
    state: 'granted',
    fileName: null,
    mediaType: null,
    addedAtMs,
    terms: grant.document.terms,
    termsText: termsText(grant.document.terms),
    regions: grant.document.regions?.map(regionText) ?? null,
    vaults,
    grants: received.map(({ id }) => id),
  };
}

function regionText({ refName, start, end }: Region): string {
  return `${refName}:${start + 1}-${end}`;
}

function manifestView(dataset: Digest, manifest: Manifest) {
  return {
    dataset,
    shortId: shortId(dataset),
    owner: manifest.owner,
    sizeBytes: manifest.plaintextBytes,
    bodyCid: manifest.bodyCid,
    residency: manifest.residency,
    terms: manifest.terms,
    termsText: termsText(manifest.terms),
    hasRegionGrants: manifest.segmentsPerKey !== null,
  };
}

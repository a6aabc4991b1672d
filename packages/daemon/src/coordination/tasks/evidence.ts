/**
 * What a requester shows a coordinator of the datasets of a job: the owner's manifest, and the grant
 * that the job names. From these the coordinator learns sizes, residency and terms, and nothing else.
 *
 * Invariants
 * E1  Each manifest is the one that the job names, signed by the owner in it; each grant is that
 *     owner's to the requester for that dataset. Otherwise there is no job.
 * E2  A use that no node could make lawful (pipeline, commercial use, an end that has passed, a grant
 *     of regions) is refused at once. Where it may happen is judged for each node.
 */
import { AppError } from '@helixmesh/protocol';
import {
  type Crypto,
  type DatasetUse,
  documentId,
  encodeDocument,
  type Grant,
  type GrantRefusal,
  grantRefusals,
  type Manifest,
  type NetworkJob,
  parseGrant,
  parseManifest,
  type Signed,
  textOf,
  utf8,
  verifyDocument,
} from '@helixmesh/protocol/sealing';
import type { Database } from '../../sql/database.ts';

/** Canonical bytes of the signed documents, as they came. */
export interface EvidencePapers {
  readonly manifest: Uint8Array;
  /** Null for the requester's own dataset. */
  readonly grant: Uint8Array | null;
}

export interface Evidence {
  readonly manifest: Signed<Manifest>;
  readonly grant: Signed<Grant> | null;
}

type JobDataset = NetworkJob['datasets'][number];

/**
 * The evidence for each dataset of the job. Throws USAGE for too many or too few, INPUT_MALFORMED,
 * and ACCESS_REFUSED for what does not show that the requester may do this.
 */
export function verifyEvidence(
  crypto: Crypto,
  job: NetworkJob,
  papers: readonly EvidencePapers[],
  nowMs: number,
): Evidence[] {
  if (papers.length !== job.datasets.length) {
    throw new AppError(
      'USAGE',
      `evidence for ${papers.length} datasets, the job names ${job.datasets.length}`,
      { hint: 'Send manifest and grant of each dataset, in the order of the job.' },
    );
  }
  return job.datasets.map((named, index) => {
    const { manifest, grant } = papers[index] as EvidencePapers;
    const evidence = {
      manifest: parseManifest(manifest),
      grant: grant === null ? null : parseGrant(grant),
    };
    assertGenuine(crypto, { job, named, evidence });
    assertAllowed({ job, named, evidence, nowMs });
    return evidence;
  });
}

interface Judged {
  readonly job: NetworkJob;
  readonly named: JobDataset;
  readonly evidence: Evidence;
}

/** E1 */
function assertGenuine(crypto: Crypto, { job, named, evidence }: Judged): void {
  const { manifest, grant } = evidence;
  const { owner } = manifest.document;
  const expected = { network: job.network, signer: owner };
  const verdict = verifyDocument(crypto, manifest, expected);
  if (verdict.status === 'invalid' || verdict.id !== named.dataset) throw notOf('manifest', named);
  if (grant === null) {
    if (named.grant === null && owner === job.requester) return;
    throw notOf('grant', named);
  }
  const granted = verifyDocument(crypto, grant, expected);
  if (granted.status === 'invalid' || granted.id !== named.grant) throw notOf('grant', named);
}

/** E2 */
function assertAllowed({ job, named, evidence, nowMs }: Judged & { readonly nowMs: number }): void {
  const { manifest, grant } = evidence;
  const { owner, terms } = manifest.document;
  const use = {
    dataset: named.dataset,
    owner,
    user: job.requester,
    pipeline: job.pipeline.name,
    isCommercial: job.constraints.isCommercial,
    nowMs,
  };
  // What the manifest says binds its owner's tasks too, as at the custodian.
  const bound = { ...OF_MANIFEST, network: job.network, owner, grantee: use.user, terms };
  const refusals = [
    ...anywhere({ ...bound, dataset: named.dataset, nonce: manifest.document.nonce }, use),
    ...(grant === null ? [] : anywhere(grant.document, use)),
    ...(grant !== null && grant.document.regions !== null ? (['regions'] as const) : []),
  ];
  if (refusals.length === 0) return;
  throw new AppError(
    'ACCESS_REFUSED',
    `the use of ${named.dataset} is not granted: ${[...new Set(refusals)].join(', ')}`,
    {
      hint: 'Ask the owner of the data for a grant of the whole dataset for this pipeline and use.',
    },
  );
}

const OF_MANIFEST = {
  type: 'helixmesh/grant/v1',
  untilMs: null,
  regions: null,
  issuedAtMs: 0,
} as const;

/** Reasons that hold wherever the data would be processed. */
function anywhere(grant: Grant, use: Omit<DatasetUse, 'zone'>): GrantRefusal[] {
  return grantRefusals(grant, { ...use, zone: '' }).filter((reason) => reason !== 'zone');
}

function notOf(what: 'manifest' | 'grant', { dataset }: JobDataset): AppError {
  const message =
    what === 'manifest'
      ? `the manifest is not that of ${dataset}, or not signed by its owner`
      : `the grant is not the one that the job names for ${dataset}, or not its owner's`;
  return new AppError('ACCESS_REFUSED', message, {
    hint: 'Send the signed manifest of each dataset, and the signed grant unless it is your own.',
  });
}

/** Within the transaction in which the job is written. */
export async function keepEvidence(
  trx: Database,
  crypto: Crypto,
  jobId: string,
  { job, evidence }: { readonly job: NetworkJob; readonly evidence: readonly Evidence[] },
): Promise<void> {
  for (const [index, { manifest, grant }] of evidence.entries()) {
    await trx
      .insertInto('network_evidence')
      .values({
        job_id: jobId,
        dataset: documentId(crypto, manifest.document),
        owner: manifest.document.owner,
        custodian: job.datasets[index]?.custodian ?? '',
        manifest: textOf(encodeDocument(manifest), 'a manifest'),
        grant_id: grant === null ? null : documentId(crypto, grant.document),
        grant_document: grant === null ? null : textOf(encodeDocument(grant), 'a grant'),
      })
      .execute();
  }
}
/** In the order of the job's datasets. */
export async function evidenceOf(database: Database, jobId: string): Promise<Evidence[]> {
  const rows = await database
    .selectFrom('network_evidence')
    .select(['manifest', 'grant_document'])
    .where('job_id', '=', jobId)
    .orderBy('dataset')
    .execute();
  return rows.map(({ manifest, grant_document }) => ({
    manifest: parseManifest(utf8(manifest)),
    grant: grant_document === null ? null : parseGrant(utf8(grant_document)),
  }));
}

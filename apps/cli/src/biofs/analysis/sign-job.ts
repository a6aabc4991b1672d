/** From what a person asks for to a job that their wallet has signed. */
import { AppError, canonicalJson, type Digest } from '@helixmesh/protocol';
import {
  digestOf,
  encodeDocument,
  formatNodeAddress,
  NETWORK_JOB_TYPE,
  type NetworkJob,
  type NodeAddress,
  networkJobSchema,
  signDocument,
  toBase64,
  toHex,
} from '@helixmesh/protocol/sealing';
import { findDataset } from '../find-dataset.ts';
import type { Person } from '../person.ts';
import { type JobRecord, jobRecordOf } from './job-records.ts';
import { jobSourceOf } from './job-sources.ts';

export interface AnalysisRequest {
  readonly coordinator: NodeAddress;
  /** Datasets as their person names them: R1, and R2 of paired reads. */
  readonly reads: readonly string[];
  readonly reference: { readonly name: string; readonly digest: Digest };
  readonly pipeline: string;
  readonly constraints: NetworkJob['constraints'];
  /** Parts that the calls are spread over; 1 for the whole at one node. */
  readonly spread: number;
  readonly redundancy: number;
  readonly replicasMax: number;
  readonly maxPriceMicroUsd: string;
  /** How long it may be under way, ms. */
  readonly durationMs: number;
}

/** All of a job but what makes it that one job. */
type Asked = Omit<NetworkJob, 'nonce' | 'issuedAtMs' | 'expiresAtMs'>;

export interface PreparedAnalysis {
  /** Equal for two requests that ask for the same. */
  readonly request: Digest;
  /** Signs it as a job of its own, which nobody has been told of. */
  sign(passphraseFile: string | undefined): Promise<JobRecord>;
}

const REQUEST_TAG = 'helixmesh/analysis-request/v1';
const PIPELINE_VERSION = 1;
const NONCE_BYTES = 16;

/** Throws NOT_FOUND, USAGE, ACCESS_REFUSED; nothing is signed yet. */
export function prepareAnalysis(person: Person, wanted: AnalysisRequest): PreparedAnalysis {
  const { crypto } = person;
  const { pipeline, constraints } = wanted;
  const use = { pipeline, isCommercial: constraints.isCommercial };
  const sources = wanted.reads.map((text) =>
    jobSourceOf(person, findDataset(person.custody, text), use),
  );
  const asked = askedFor(
    person,
    wanted,
    sources.map(({ dataset }) => dataset),
  );
  const sorted = sources.toSorted((a, b) => (a.dataset.dataset < b.dataset.dataset ? -1 : 1));
  const request = digestOf(crypto, REQUEST_TAG, canonicalJson({ ...asked }));
  return {
    request,
    async sign(passphraseFile) {
      const wallet = await person.wallet(passphraseFile);
      const issuedAtMs = Date.now();
      const job = networkJobSchema.parse({
        ...asked,
        nonce: toHex(crypto.random(NONCE_BYTES)),
        issuedAtMs,
        expiresAtMs: issuedAtMs + wanted.durationMs,
      });
      const signed = await signDocument(wallet, job);
      return jobRecordOf(crypto, {
        request,
        coordinator: formatNodeAddress(wanted.coordinator),
        referenceName: wanted.reference.name,
        job: toBase64(encodeDocument(signed)),
        evidence: sorted.map(({ evidence }) => evidence),
        seen: null,
      });
    },
  };
}

function askedFor(
  { network, login, identity }: Person,
  wanted: AnalysisRequest,
  reads: NetworkJob['datasets'],
): Asked {
  const [r1, r2] = reads;
  if (r1 === undefined || reads.length > 2 || r1.dataset === r2?.dataset) {
    throw new AppError('USAGE', 'the reads of one sample are one dataset, or two different ones', {
      hint: 'Give R1 and R2 of paired reads, as `biofs ls` lists them.',
    });
  }
  if (wanted.spread > 1 && r2 !== undefined && r1.custodian !== r2.custodian) {
    throw new AppError('USAGE', 'reads of two custodians cannot be spread over nodes', {
      hint: 'Leave out --spread: then one node has all of it.',
    });
  }
  return {
    type: NETWORK_JOB_TYPE,
    network,
    requester: login.account,
    coordinator: wanted.coordinator.nodeId,
    chainId: null,
    datasets: reads.toSorted((a, b) => (a.dataset < b.dataset ? -1 : 1)),
    pipeline: { name: wanted.pipeline, version: PIPELINE_VERSION },
    parameters: {
      reference: wanted.reference.digest,
      r1: r1.dataset,
      ...(r2 === undefined ? {} : { r2: r2.dataset }),
      ...(wanted.spread === 1 ? {} : { spread: wanted.spread }),
    },
    constraints: wanted.constraints,
    redundancy: wanted.redundancy,
    replicasMax: wanted.replicasMax,
    maxPriceMicroUsd: wanted.maxPriceMicroUsd,
    outputCustodian: {
      owner: login.account,
      nodeId: identity.nodeId,
      encryptionKey: toHex(identity.encryptionKey.publicKey),
    },
  };
}

/** What this node states of a result that it has made, signed with its key. */
import type { Digest, NodeId } from '@helixmesh/protocol';
import {
  type Crypto,
  documentId,
  fromBase64,
  parseNetworkJob,
  RESULT_STATEMENT_TYPE,
  type ResultStatement,
  resultDigestOf,
  type Signed,
  type StatedOutput,
  signWithKey,
} from '@helixmesh/protocol/sealing';
import type { AttemptRecord } from './attempt-folder.ts';
import type { JobResult } from './result-digest.ts';

/** Who states it. */
export interface Stater {
  readonly nodeId: NodeId;
  /** Ed25519. */
  readonly secretKey: Uint8Array;
  /** The wallet that answers for the node. */
  readonly operator: string | null;
}

/** Of a file in the clear. */
export type MadeFile = Omit<StatedOutput, 'canonical'>;

export interface StatementOptions {
  readonly crypto: Crypto;
  readonly network: Digest;
  readonly stater: Stater;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface Made {
  readonly assignment: Pick<
    AttemptRecord['assignment'],
    'attemptId' | 'taskId' | 'fencingToken' | 'job'
  >;
  readonly result: JobResult;
  /** When the node took the attempt. */
  readonly startedAtMs: number;
}

/** All `files` of the result, in order of path. It ends now. Throws INPUT_MALFORMED for no job. */
export function stateResult(
  { crypto, network, stater, now }: StatementOptions,
  { assignment, result, startedAtMs }: Made,
  files: readonly MadeFile[],
): Signed<ResultStatement> {
  const { attemptId, taskId, fencingToken } = assignment;
  const job = parseNetworkJob(fromBase64(assignment.job, 'a job')).document;
  const compared = new Map(result.files.map(({ path, ...canonical }) => [path, canonical]));
  const document: ResultStatement = {
    type: RESULT_STATEMENT_TYPE,
    network,
    job: documentId(crypto, job),
    ...{ taskId, attemptId, fencingToken },
    nodeId: stater.nodeId,
    operator: stater.operator,
    jobHash: result.jobHash,
    resultDigest: resultDigestOf(crypto, network, result),
    outputs: files.map((file) => ({ ...file, canonical: compared.get(file.path) ?? null })),
    startedAtMs,
    // A clock that was set back says nothing about the work.
    endedAtMs: Math.max(startedAtMs, now()),
  };
  return signWithKey(crypto, stater.secretKey, document);
}

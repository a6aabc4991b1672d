/**
 * The call by which clients of the Sequentias protocol have a job executed, as far as it can be served
 * here: `POST /bionfs/v1/execute_job` {session_token, ip_id, pipeline, parameters}.
 *
 * Its `session_token` is what every request of this network is signed with, in one text: a statement
 * of the session's key on this one request, good once, at one node, within a minute. It opens nothing
 * else, and no wallet is left out: `parameters` hold the job that the wallet has signed.
 *
 *   session_token = base64 of canonical {authorization, session}: the two headers of a signed request
 *   signed bytes  = canonical {ip_id, parameters, pipeline}
 */
import { z } from 'zod';
import { fromBase64, toBase64, utf8 } from '../bytes.ts';
import { canonicalJson } from '../canonical-json.ts';
import { JOB_DATASETS_MAX, NETWORK_JOB_BYTES_MAX } from '../limits.ts';
import { parseDocument } from '../signing/document.ts';
import { base64Of, digestSchema } from '../signing/fields.ts';
import { evidenceSchema } from './task-routes.ts';

/** A session with a name of a network and five scopes has some 1,500. */
const TOKEN_BYTES_MAX = 16_384;

const tokenSchema = z.strictObject({ authorization: z.string(), session: z.string() });
/** The headers of a signed request: `Authorization` and `Helixmesh-Session`. */
export type SessionToken = z.infer<typeof tokenSchema>;

export const executeJobSchema = z.strictObject({
  session_token: base64Of(TOKEN_BYTES_MAX),
  /** A dataset of the job, by the id of its manifest. */
  ip_id: digestSchema,
  /** The names of that protocol have low lines. */
  pipeline: z.string().regex(/^[a-z][a-z0-9_-]{0,63}$/),
  parameters: z.strictObject({
    /** The job that the requester's wallet has signed. */
    job: base64Of(NETWORK_JOB_BYTES_MAX),
    evidence: z.array(evidenceSchema).min(1).max(JOB_DATASETS_MAX),
  }),
});
export type ExecuteJob = z.infer<typeof executeJobSchema>;

/** The seed knows `success` and an error; jobs take hours here. */
export const EXECUTE_STATUSES = ['queued', 'running', 'success', 'failed', 'canceled'] as const;

const executeJobReplySchema = z.strictObject({
  status: z.enum(EXECUTE_STATUSES),
  job_id: digestSchema,
  /** The digest that was agreed on; null while there is none. */
  result_ip_id: digestSchema.nullable(),
  /** `bionfs://<node address>/<attempt>`: sealed to the requester, and fetched by a signed request. */
  download_url: z.string().max(512).nullable(),
  /** Why it waits, has failed or was canceled. */
  error: z.string().max(1_000).nullable(),
});
export type ExecuteJobReply = z.infer<typeof executeJobReplySchema>;

export function formatSessionToken({ authorization, session }: SessionToken): string {
  return toBase64(utf8(canonicalJson({ authorization, session })));
}

/** Throws INPUT_MALFORMED. */
export function parseSessionToken(token: string): SessionToken {
  const what = 'a session token';
  const maxBytes = TOKEN_BYTES_MAX;
  return parseDocument(tokenSchema, fromBase64(token, what), { what, maxBytes });
}

/** What the token signs: all of the request but the token. */
export function signedBytesOf({ session_token: _, ...rest }: ExecuteJob): Uint8Array {
  return utf8(canonicalJson(rest));
}

const none = z.strictObject({});

export const EXECUTE_ROUTES = {
  executeJob: {
    method: 'POST',
    path: '/bionfs/v1/execute_job',
    params: none,
    query: none,
    body: executeJobSchema,
    reply: executeJobReplySchema,
    /** By the token in the body, not by headers. */
    signedBy: 'account',
    scope: 'submit',
  },
} as const;

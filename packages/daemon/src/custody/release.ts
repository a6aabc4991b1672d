/**
 * Releases keys: gathers what is stored, judges it (`release-policy.ts`), seals the headers to the
 * key of who asks, and writes the access log, in one transaction.
 *
 * Invariants
 * L1  The log entry is durable before a header leaves this module; a header that was not logged was
 *     never made known to anybody.
 * L2  A revocation, a shredding or a policy that was committed before binds: the transaction holds
 *     the write lock while it reads, judges and logs.
 * L3  Under a grant of regions the header holds the keys of the groups of its byte ranges only.
 *
 * What it costs: all of it is one piece of work that nothing interrupts. For an object of the largest
 * size with a key for each group (16,384 of them) that is some 1.1 s, and others wait.
 */
import assert from 'node:assert/strict';
import type { Digest } from '@helixmesh/protocol';
import {
  documentId,
  encodeDocument,
  GRANT_SEGMENTS_TYPE,
  type GrantSegments,
  type KeyPair,
  openHeader,
  type Purpose,
  parseGrant,
  parseManifest,
  type Range,
  rewrapHeader,
  sealRegionHeader,
  signWithKey,
} from '@helixmesh/protocol/sealing';
import { logAccess } from './access-log.ts';
import type { CustodyParts } from './custody.ts';
import { type StoredDataset, storedDataset } from './datasets.ts';
import { parseRanges } from './grants.ts';
import { policyOf, seenNumber } from './heads.ts';
import { GRANTS_JUDGED_MAX } from './limits.ts';
import {
  type HeldGrant,
  judgeRelease,
  type OfferedGrant,
  OPEN_POLICY,
  parsed,
  type ReleaseAnswer,
  type ReleaseEvidence,
} from './release-policy.ts';
import type { Refusal } from './release-reasons.ts';

export interface ReleaseRequest {
  /** Account whose session signed the request, and the scopes of that session. */
  readonly requester: { readonly account: string; readonly scopes: readonly string[] };
  readonly dataset: Digest;
  /** Canonical bytes of the signed grant; null: those that are kept here, or one's own dataset. */
  readonly grant: Uint8Array | null;
  readonly purpose: Purpose;
  /** Canonical bytes of the requester's signed encryption-key statement. */
  readonly encryptionKey: Uint8Array;
  /** Ed25519 keys of the custodian that answers. */
  readonly custodian: KeyPair;
}

export interface Released {
  readonly status: 'released';
  /** Canonical bytes of the signed manifest. */
  readonly manifest: Uint8Array;
  readonly header: Uint8Array;
  /** Null under a grant of regions: file name and digest are for readers of the whole. */
  readonly partHeader: Uint8Array | null;
  /** Segments that the vault is told to serve; null for all of them. */
  readonly segments: readonly Range[] | null;
  /** Canonical bytes of the custodian's statement of those segments. */
  readonly grantSegments: Uint8Array | null;
  /** Addresses as text. */
  readonly vaults: readonly string[];
}

export interface Releases {
  /** Answers one request for keys, and has logged it. */
  release(request: ReleaseRequest): Released | Refusal;
}

export function releases(parts: CustodyParts): Releases {
  const { database } = parts;
  return {
    release: (request) =>
      database.atomically(() => {
        const stored = storedDataset(parts, request.dataset);
        const offered = offeredGrants(parts, request);
        const answer = judgeRelease(parts.crypto, evidenceOf(parts, request, { stored, offered }));
        const held = answer.status === 'released' ? answer.grant : null;
        const released =
          answer.status === 'released' ? sealed(parts, request, { answer, stored }) : answer;
        logAccess(parts, {
          who: request.requester.account,
          dataset: request.dataset,
          grant: held?.id ?? offered[0]?.id ?? null,
          purpose: request.purpose,
          task: null,
          outcome: answer.status,
          reasons: answer.status === 'released' ? [] : answer.reasons,
        });
        if (answer.status === 'released' && answer.encryptionKey !== null) {
          rememberKey(parts, answer.encryptionKey);
        }
        return released;
      }),
  };
}

export interface IdentifiedGrant extends OfferedGrant {
  /** Null where the bytes are no grant. */
  readonly id: Digest | null;
}

export interface Gathered {
  readonly stored: StoredDataset | undefined;
  readonly offered: readonly IdentifiedGrant[];
}

/** What is judged; read in the transaction that decides (L2). */
export function evidenceOf(
  parts: CustodyParts,
  request: Omit<ReleaseRequest, 'grant'>,
  { stored, offered }: Gathered,
): ReleaseEvidence {
  const { database, network, now } = parts;
  const { requester, dataset, purpose, encryptionKey, custodian } = request;
  const owner = stored && parsed(() => parseManifest(stored.manifest))?.document.owner;
  const key = database.get<{ issued_at: number }>(
    'SELECT issued_at FROM encryption_keys WHERE account = ?',
    requester.account,
  );
  const head = database.get<{ document: Uint8Array }>(
    'SELECT document FROM heads WHERE owner = ? ORDER BY number DESC LIMIT 1',
    owner ?? '',
  );
  return {
    network,
    nowMs: now(),
    requester,
    dataset,
    purpose,
    encryptionKey,
    latestKeyMs: key?.issued_at,
    held: stored,
    grants: offered,
    head: head?.document,
    seenHeadNumber: owner === undefined ? 0 : seenNumber(parts, owner),
    custodianKey: custodian.publicKey,
    policy: owner === undefined ? OPEN_POLICY : policyOf(parts, owner),
  };
}

/** The grant that was sent; where none was, those to this account that are kept here. */
export function offeredGrants(
  { database, crypto }: CustodyParts,
  { grant, dataset, requester }: Pick<ReleaseRequest, 'grant' | 'dataset' | 'requester'>,
): readonly IdentifiedGrant[] {
  if (grant !== null) {
    const signed = parsed(() => parseGrant(grant));
    if (signed === undefined) return [{ bytes: grant, byteRanges: undefined, id: null }];
    const id = documentId(crypto, signed.document);
    const sql = 'SELECT byte_ranges FROM grants WHERE id = ?';
    const ranges = database.get<{ byte_ranges: string | null }>(sql, id)?.byte_ranges;
    return [{ bytes: grant, byteRanges: rangesOf(ranges ?? null), id }];
  }
  // A grant of the whole first: it gives most.
  return database
    .all<{ id: string; document: Uint8Array; byte_ranges: string | null }>(
      `SELECT id, document, byte_ranges FROM grants WHERE dataset = ? AND grantee = ?
       ORDER BY byte_ranges IS NOT NULL, added_at DESC, id LIMIT ?`,
      dataset,
      requester.account,
      GRANTS_JUDGED_MAX,
    )
    .map((row) => ({
      bytes: row.document,
      byteRanges: rangesOf(row.byte_ranges),
      id: row.id as Digest,
    }));
}

function rangesOf(json: string | null): readonly Range[] | undefined {
  return json === null ? undefined : parseRanges(json);
}

function sealed(
  parts: CustodyParts,
  request: ReleaseRequest,
  at: {
    readonly answer: Extract<ReleaseAnswer, { status: 'released' }>;
    readonly stored: StoredDataset | undefined;
  },
): Released {
  const { crypto, database, key } = parts;
  const { answer, stored } = at;
  assert(stored?.header && stored.partHeader, 'a dataset that is released has its keys');
  const keys = { reader: key, recipients: [answer.recipient] };
  const vaults = database
    .all<{ vault: string }>('SELECT vault FROM dataset_vaults WHERE dataset = ?', request.dataset)
    .map(({ vault }) => vault);
  const facts = { status: 'released', manifest: encodeDocument(answer.manifest), vaults } as const;
  const ranges = answer.grant?.byteRanges;
  if (answer.grant === null || !ranges) {
    return {
      ...facts,
      header: rewrapHeader(crypto, stored.header, keys),
      partHeader: rewrapHeader(crypto, stored.partHeader, keys),
      segments: null,
      grantSegments: null,
    };
  }
  const { dataKeys: groupKeys } = openHeader(crypto, stored.header, key);
  const { plaintextBytes } = answer.manifest.document;
  const region = { groupKeys, plaintextBytes, regions: ranges, recipients: keys.recipients };
  const { header, segments } = sealRegionHeader(crypto, region);
  for (const dataKey of groupKeys) dataKey.fill(0);
  const statement = segmentsStatement(parts, request, { grant: answer.grant, segments });
  return { ...facts, header, partHeader: null, segments, grantSegments: statement };
}

/** The custodian tells the vault which segments the grant is. */
function segmentsStatement(
  { crypto, network, now }: CustodyParts,
  { dataset, custodian }: ReleaseRequest,
  { grant, segments }: { readonly grant: HeldGrant; readonly segments: readonly Range[] },
): Uint8Array {
  const document: GrantSegments = {
    type: GRANT_SEGMENTS_TYPE,
    network,
    grant: grant.id,
    object: dataset,
    segments: segments.map(({ start, end }) => ({ start, end })),
    atMs: now(),
  };
  return encodeDocument(signWithKey(crypto, custodian.secretKey, document));
}

/** From now on an earlier key of that account gets nothing. */
function rememberKey(
  { database }: CustodyParts,
  { account, issuedAtMs }: { readonly account: string; readonly issuedAtMs: number },
): void {
  database.run(
    `INSERT INTO encryption_keys VALUES (?, ?) ON CONFLICT (account) DO UPDATE
     SET issued_at = excluded.issued_at WHERE excluded.issued_at > issued_at`,
    account,
    issuedAtMs,
  );
}

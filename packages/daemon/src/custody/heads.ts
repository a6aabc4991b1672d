/**
 * Revocation heads of a custody: the numbered lists that its person signs, the statement who their
 * custodian is, and what vaults say they hold.
 *
 * Invariants
 * H1  Heads are only ever added, each of them behind the one before it (`judgeHead`).
 * H2  Where a vault holds a later head than there is here (an older backup was restored), it is
 *     remembered: until that head is here, nothing is attested and nothing released. A vault's word
 *     for it is not enough: it shows the head, which the owner has signed.
 */
import { AppError, type Digest } from '@helixmesh/protocol';
import {
  type Custodian,
  encodeDocument,
  judgeHead,
  type NodeAddress,
  operatorsSchema,
  parseCustodian,
  parseNodeAddress,
  parseRevocationHead,
  type RevocationHead,
  type Signed,
  termsSchema,
  tiersSchema,
  verifyDocument,
} from '@helixmesh/protocol/sealing';
import { z } from 'zod';
import type { CustodyParts } from './custody.ts';
import { OPEN_POLICY, type OwnerPolicy, parsed } from './release-policy.ts';

export interface CurrentHead {
  readonly id: Digest;
  readonly signed: Signed<RevocationHead>;
  /** The highest number that some vault holds; above the head's own only after a restore. */
  readonly seenNumber: number;
}

export interface Heads {
  /** The owner's statement who their custodian is; of two the later one holds. */
  setCustodian(signed: Signed<Custodian>): void;
  custodianOf(owner: string): Signed<Custodian> | undefined;
  /** Throws INPUT_MALFORMED for a head not signed by its owner, CONFLICT for one that may not follow. */
  addHead(signed: Signed<RevocationHead>): 'accepted' | 'known';
  currentHead(owner: string): CurrentHead | undefined;
  /** Owners who have a head here. */
  headOwners(): string[];
  /** Changes whenever a head, a custodian or a vault of a dataset was added. */
  headsMark(): string;
  /**
   * A vault shows a head that it holds, canonical bytes. False where its owner has not signed it or it is
   * no later one than there is here.
   */
  noteSeenHead(owner: string, bytes: Uint8Array): boolean;
  /** Vaults that an owner's datasets lie in. */
  vaultsOf(owner: string): NodeAddress[];
  setPolicy(owner: string, policy: OwnerPolicy): void;
  policyOf(owner: string): OwnerPolicy;
}

export function heads(parts: CustodyParts): Heads {
  const { database, crypto, network, now } = parts;
  const currentHead = (owner: string): CurrentHead | undefined => {
    const row = database.get<{ id: string; document: Uint8Array }>(
      'SELECT id, document FROM heads WHERE owner = ? ORDER BY number DESC LIMIT 1',
      owner,
    );
    const signed = row && parseRevocationHead(row.document);
    return row && signed && { id: row.id as Digest, signed, seenNumber: seenNumber(parts, owner) };
  };
  return {
    setCustodian(signed) {
      const { owner, issuedAtMs } = signed.document;
      const verdict = verifyDocument(crypto, signed, { network, signer: owner });
      if (verdict.status === 'invalid') throw notSigned('a statement of the custodian');
      database.run(
        `INSERT INTO custodians VALUES (?, ?, ?) ON CONFLICT (owner) DO UPDATE
         SET document = excluded.document, issued_at = excluded.issued_at
         WHERE excluded.issued_at > issued_at`,
        owner,
        encodeDocument(signed),
        issuedAtMs,
      );
    },
    custodianOf(owner) {
      const sql = 'SELECT document FROM custodians WHERE owner = ?';
      const row = database.get<{ document: Uint8Array }>(sql, owner);
      return row && parseCustodian(row.document);
    },
    addHead(signed) {
      const head = signed.document;
      const verdict = verifyDocument(crypto, signed, { network, signer: head.owner });
      if (verdict.status === 'invalid') throw notSigned('a revocation head');
      return database.atomically(() => {
        const known = currentHead(head.owner);
        const last = known && { id: known.id, head: known.signed.document };
        const next = judgeHead(last, { id: verdict.id, head });
        if (next === 'known') return next;
        if (next !== 'accepted') throw doesNotFollow(next, last?.head.number ?? 0);
        const bytes = encodeDocument(signed);
        const sql = 'INSERT INTO heads VALUES (?, ?, ?, ?, ?)';
        database.run(sql, head.owner, head.number, verdict.id, bytes, now());
        return next;
      });
    },
    currentHead: (owner) => database.atomically(() => currentHead(owner)),
    headOwners: () =>
      database
        .all<{ owner: string }>('SELECT DISTINCT owner FROM heads ORDER BY owner')
        .map(({ owner }) => owner),
    headsMark() {
      const row = database.get<{ mark: string }>(
        `SELECT format('%d/%d/%d', (SELECT count(*) FROM heads),
                       (SELECT count(*) FROM dataset_vaults),
                       (SELECT coalesce(sum(issued_at), 0) FROM custodians)) AS mark`,
      );
      return row?.mark ?? '';
    },
    noteSeenHead(owner, bytes) {
      const shown = parsed(() => parseRevocationHead(bytes));
      if (shown === undefined || shown.document.owner !== owner) return false;
      const verdict = verifyDocument(crypto, shown, { network, signer: owner });
      if (verdict.status === 'invalid') return false;
      const { number } = shown.document;
      if (number <= (currentHead(owner)?.signed.document.number ?? 0)) return false;
      noteSeenNumber(parts, owner, number);
      return true;
    },
    vaultsOf: (owner) =>
      database
        .all<{ vault: string }>(
          `SELECT DISTINCT vault FROM dataset_vaults JOIN datasets ON datasets.id = dataset
           WHERE owner = ? ORDER BY vault`,
          owner,
        )
        .map(({ vault }) => parseNodeAddress(vault)),
    setPolicy(owner, policy) {
      const sql = `INSERT INTO policies VALUES (?, ?) ON CONFLICT (owner) DO UPDATE
        SET document = excluded.document`;
      const checked = ownerPolicySchema.safeParse(policy);
      if (!checked.success) throw badPolicy();
      database.run(sql, owner, JSON.stringify(checked.data));
    },
    policyOf: (owner) => policyOf(parts, owner),
  };
}

const ownerPolicySchema = z.strictObject({
  terms: termsSchema,
  isPaused: z.boolean(),
  plaintextOperatorsMax: z.int().min(0).nullable().optional(),
  // Stored policies and backups from before there were these have neither.
  operators: operatorsSchema.optional(),
  tiers: tiersSchema.optional(),
});

/** The owner's policy; without one all that their grants allow. */
export function policyOf({ database }: CustodyParts, owner: string): OwnerPolicy {
  const sql = 'SELECT document FROM policies WHERE owner = ?';
  const row = database.get<{ document: string }>(sql, owner);
  return row === undefined ? OPEN_POLICY : ownerPolicySchema.parse(JSON.parse(row.document));
}

/** The highest number of an owner's heads that some vault says it holds; 0 for none. */
export function seenNumber({ database }: CustodyParts, owner: string): number {
  const sql = 'SELECT number FROM heads_seen WHERE owner = ?';
  return database.get<{ number: number }>(sql, owner)?.number ?? 0;
}

/** Remembers that there is a head of that number somewhere. */
export function noteSeenNumber({ database }: CustodyParts, owner: string, number: number): void {
  database.run(
    `INSERT INTO heads_seen VALUES (?, ?) ON CONFLICT (owner) DO UPDATE
     SET number = excluded.number WHERE excluded.number > number`,
    owner,
    number,
  );
}

function badPolicy(): AppError {
  return new AppError('USAGE', 'the policy is not one', {
    hint: 'Name pipelines, zones, operators and tiers in order, each once; zones as EU, MX or US-CA.',
  });
}

function notSigned(what: string): AppError {
  return new AppError('INPUT_MALFORMED', `${what} is not signed by its owner in this network`, {
    hint: 'Sign it again with the wallet of that owner.',
  });
}

function doesNotFollow(verdict: string, lastNumber: number): AppError {
  return new AppError('CONFLICT', `the revocation head may not follow number ${lastNumber}`, {
    hint: 'Read the current head and sign the next one again: another command was faster.',
    details: { verdict },
  });
}

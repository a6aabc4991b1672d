/** Grants of a custody: those that its person has given, and those that they were given. */
import { AppError, type Digest } from '@helixmesh/protocol';
import {
  encodeDocument,
  type Grant,
  type Invitation,
  parseGrant,
  parseInvitation,
  parseManifest,
  type Range,
  type Signed,
  verifyDocument,
  verifyInvitation,
} from '@helixmesh/protocol/sealing';
import { z } from 'zod';
import type { CustodyParts } from './custody.ts';
import { fail, notHere, storedDataset } from './datasets.ts';
import { BYTE_RANGES_MAX } from './limits.ts';

export interface NewGrant {
  readonly grant: Signed<Grant>;
  /**
   * Bytes of the plaintext, 0-based half-open, that the grant's regions are; null for a grant of
   * the whole dataset.
   */
  readonly byteRanges: readonly Range[] | null;
}

export interface GivenGrant extends NewGrant {
  readonly id: Digest;
  readonly addedAtMs: number;
}

/** A grant to the person of this custody, with all that is needed to use it. */
export interface ReceivedGrant {
  readonly id: Digest;
  readonly invitation: Invitation;
  readonly addedAtMs: number;
}

export interface Grants {
  /**
   * Keeps a grant that the owner of a dataset here has signed. Throws NOT_FOUND without the dataset,
   * INPUT_MALFORMED for a grant that its owner has not signed, USAGE for byte ranges that it cannot
   * have.
   */
  addGrant(grant: NewGrant): Digest;
  /** Oldest first; of one dataset where `dataset` is given. Revoked ones are in it. */
  listGrants(dataset?: Digest): GivenGrant[];
  /** Throws INPUT_MALFORMED unless one owner has signed all of it, for one dataset. */
  addInvitation(invitation: Invitation): Digest;
  listInvitations(): ReceivedGrant[];
  /** The latest grant to a dataset of somebody else. */
  getInvitation(dataset: Digest): ReceivedGrant | undefined;
}

interface GrantRow {
  id: string;
  document: Uint8Array;
  byte_ranges: string | null;
  added_at: number;
}

interface InvitationRow {
  grant_id: string;
  document: Uint8Array;
  added_at: number;
}

export function grants(parts: CustodyParts): Grants {
  const { database, crypto, network, now } = parts;
  const received = ({ grant_id, document, added_at }: InvitationRow): ReceivedGrant => ({
    id: grant_id as Digest,
    invitation: parseInvitation(document),
    addedAtMs: added_at,
  });
  return {
    addGrant({ grant, byteRanges }) {
      const { document } = grant;
      return database.atomically(() => {
        const held = storedDataset(parts, document.dataset) ?? fail(notHere(document.dataset));
        const { document: manifest } = parseManifest(held.manifest);
        const verdict = verifyDocument(crypto, grant, { network, signer: manifest.owner });
        if (verdict.status === 'invalid' || document.owner !== manifest.owner) throw notTheOwners();
        if ((document.regions === null) !== (byteRanges === null)) throw badRanges('missing');
        if (byteRanges !== null) {
          if (manifest.segmentsPerKey === null) throw notGrouped();
          checkRanges(byteRanges, manifest.plaintextBytes);
        }
        database.run(
          'INSERT OR IGNORE INTO grants VALUES (?, ?, ?, ?, ?, ?)',
          verdict.id,
          document.dataset,
          document.grantee,
          encodeDocument(grant),
          byteRanges && JSON.stringify(byteRanges),
          now(),
        );
        return verdict.id;
      });
    },
    listGrants(dataset) {
      const order = 'ORDER BY added_at, id';
      const rows =
        dataset === undefined
          ? database.all<GrantRow>(`${SELECT} ${order}`)
          : database.all<GrantRow>(`${SELECT} WHERE dataset = ? ${order}`, dataset);
      return rows.map(({ id, document, byte_ranges: ranges, added_at: addedAtMs }) => ({
        id: id as Digest,
        grant: parseGrant(document),
        byteRanges: ranges === null ? null : parseRanges(ranges),
        addedAtMs,
      }));
    },
    addInvitation(invitation) {
      const verdict = verifyInvitation(crypto, invitation, network);
      if (verdict.status === 'invalid') throw badInvitation(verdict.reason);
      database.run(
        'INSERT OR IGNORE INTO invitations VALUES (?, ?, ?, ?)',
        verdict.grant,
        verdict.dataset,
        encodeDocument(invitation),
        now(),
      );
      return verdict.grant;
    },
    listInvitations: () =>
      database
        .all<InvitationRow>('SELECT * FROM invitations ORDER BY added_at, grant_id')
        .map(received),
    getInvitation(dataset) {
      const sql = 'SELECT * FROM invitations WHERE dataset = ? ORDER BY added_at DESC, grant_id';
      const row = database.get<InvitationRow>(`${sql} LIMIT 1`, dataset);
      return row && received(row);
    },
  };
}

const SELECT = 'SELECT id, document, byte_ranges, added_at FROM grants';

const rangesSchema = z
  .array(z.strictObject({ start: z.int().min(0), end: z.int().min(1) }))
  .max(BYTE_RANGES_MAX);

/** The ranges in a row of `grants`. */
export function parseRanges(json: string): readonly Range[] {
  return rangesSchema.parse(JSON.parse(json));
}

function checkRanges(ranges: readonly Range[], plaintextBytes: number): void {
  const isRange = ({ start, end }: Range) =>
    Number.isSafeInteger(start) && start >= 0 && start < end && end <= plaintextBytes;
  if (ranges.length === 0 || ranges.length > BYTE_RANGES_MAX || !ranges.every(isRange)) {
    throw badRanges('empty, too many or beyond its end');
  }
}

function badRanges(why: string): AppError {
  return new AppError('USAGE', `the byte ranges do not fit the grant and its dataset: ${why}`, {
    hint: 'Give the bytes of each region, and none for a grant of the whole dataset.',
  });
}

function notGrouped(): AppError {
  return new AppError(
    'USAGE',
    'one key opens all of this dataset, so no region of it can be granted',
    {
      hint: 'Put the file again with --region-grants, or grant the whole of it.',
    },
  );
}

function badInvitation(which: string): AppError {
  return new AppError('INPUT_MALFORMED', `the invitation does not hold: its ${which}`, {
    hint: 'Ask the owner for the invitation again, in this network.',
  });
}

function notTheOwners(): AppError {
  return new AppError('INPUT_MALFORMED', 'the grant is not one of the owner of that dataset', {
    hint: 'Ask the owner for the grant again, in this network.',
  });
}

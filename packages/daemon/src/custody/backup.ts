/**
 * Backups of a custody: everything that cannot be had again, under a passphrase.
 *
 *   'helixmesh/custody-backup/v1' and a line break, salt (16 bytes), nonce (12 bytes),
 *   ChaCha20-Poly1305 of canonical JSON under scrypt(passphrase, salt; 2^15, 8, 1), the first three
 *   as additional data
 *
 * Inside are the headers as they are kept, the key that opens them, and the signed documents.
 *
 * Invariants
 * K1  Without the passphrase a backup tells its size alone, and opens nothing.
 * K2  A restore is one transaction, seals the headers anew to the key of its own folder, and checks
 *     each dataset as `addDataset` does.
 * K3  A restore only adds: heads do not go back, and what was shredded here stays so.
 *
 * Left out: the access log and the identity of the node. A backup keeps the keys of datasets that
 * are shredded later: who shreds deletes the backups made before.
 */
import { AppError } from '@helixmesh/protocol';
import {
  AEAD_NONCE_BYTES,
  aeadSeal,
  concatBytes,
  digestSchema,
  documentId,
  encodeDocument,
  formatNodeAddress,
  fromBase64,
  fromHex,
  KEY_BYTES,
  type KeyPair,
  parseCustodian,
  parseDocument,
  parseGrant,
  parseInvitation,
  parseManifest,
  parseNodeAddress,
  parseRevocationHead,
  parseTombstone,
  rewrapHeader,
  timeMsSchema,
  toBase64,
  toHex,
  utf8,
} from '@helixmesh/protocol/sealing';
import { z } from 'zod';
import type { CustodyParts } from './custody.ts';
import { datasets as datasetsOf } from './datasets.ts';
import { grants as grantsOf, parseRanges } from './grants.ts';
import { heads as headsOf, noteSeenNumber } from './heads.ts';
import { BACKUP_BYTES_MAX, PASSPHRASE_CHARS_MIN } from './limits.ts';
import { tombstones as tombstonesOf } from './tombstones.ts';

const MAGIC = utf8('helixmesh/custody-backup/v1\n');
const TYPE = 'helixmesh/custody-backup/v1';
const SALT_BYTES = 16;
/** RFC 7914; 32 MiB and some 100 ms a guess. Part of the format. */
const SCRYPT = { n: 32_768, r: 8, p: 1, bytes: KEY_BYTES } as const;

export interface Restored {
  /** Datasets that were not here before. */
  readonly datasets: number;
  readonly grants: number;
  readonly invitations: number;
}

export interface Backups {
  /** Throws USAGE for a short passphrase. */
  backup(passphrase: string): Promise<Uint8Array>;
  /**
   * Adds what a backup holds. Throws KEY_NOT_HELD for a wrong passphrase, INPUT_WRONG_FORMAT and
   * INPUT_MALFORMED for what is no backup of this network; then nothing was added.
   */
  restore(bytes: Uint8Array, passphrase: string): Promise<Restored>;
}

const base64 = z.string();
const backupSchema = z.strictObject({
  type: z.literal(TYPE),
  network: digestSchema,
  atMs: timeMsSchema,
  /** X25519 secret key that the headers are sealed to, hex. */
  key: z.string().regex(/^[0-9a-f]{64}$/),
  datasets: z.array(
    z.strictObject({
      manifest: base64,
      state: z.enum(['pending', 'stored', 'shredded']),
      header: base64.nullable(),
      partHeader: base64.nullable(),
      vaults: z.array(z.string()),
    }),
  ),
  grants: z.array(z.strictObject({ document: base64, byteRanges: z.string().nullable() })),
  invitations: z.array(base64),
  heads: z.array(base64),
  headsSeen: z.array(z.strictObject({ owner: z.string(), number: z.int().min(0) })),
  custodians: z.array(base64),
  policies: z.array(z.strictObject({ owner: z.string(), document: z.string() })),
  vaults: z.array(z.string()),
  /** Left out by backups of before there were any. */
  tombstones: z.array(base64).optional(),
});
type Backup = z.infer<typeof backupSchema>;

export function backups(parts: CustodyParts): Backups {
  return {
    async backup(passphrase) {
      if ([...passphrase].length < PASSPHRASE_CHARS_MIN) throw shortPassphrase();
      const { crypto } = parts;
      const plaintext = encodeDocument(contentOf(parts));
      if (plaintext.length > BACKUP_BYTES_MAX) throw tooLarge();
      const salt = crypto.random(SALT_BYTES);
      const nonce = crypto.random(AEAD_NONCE_BYTES);
      const aad = concatBytes(MAGIC, salt, nonce);
      const key = await crypto.scrypt({ ...SCRYPT, passphrase: passphraseBytes(passphrase), salt });
      const sealed = aeadSeal(crypto, { key, nonce, plaintext, aad });
      key.fill(0);
      plaintext.fill(0);
      return concatBytes(aad, sealed);
    },
    async restore(bytes, passphrase) {
      const plaintext = await opened(parts, bytes, passphrase);
      const options = { what: 'the content of the backup', maxBytes: BACKUP_BYTES_MAX };
      const content = parseDocument(backupSchema, plaintext, options);
      plaintext.fill(0);
      if (content.network !== parts.network) throw otherNetwork();
      return parts.database.atomically(() => addAll(parts, content));
    },
  };
}

function contentOf(parts: CustodyParts): Backup {
  const { database, network, now, key } = parts;
  type Blob = { document: Uint8Array };
  const documents = (table: string) =>
    database
      .all<Blob>(`SELECT document FROM ${table} ORDER BY rowid`)
      .map(({ document }) => toBase64(document));
  return database.atomically(() => ({
    type: TYPE,
    network,
    atMs: now(),
    key: toHex(key.secretKey),
    datasets: database
      .all<DatasetRow>(
        'SELECT id, manifest, state, header, part_header FROM datasets ORDER BY added_at',
      )
      .map((row) => ({
        manifest: toBase64(row.manifest),
        state: row.state,
        header: row.header && toBase64(row.header),
        partHeader: row.part_header && toBase64(row.part_header),
        vaults: database
          .all<{ vault: string }>('SELECT vault FROM dataset_vaults WHERE dataset = ?', row.id)
          .map(({ vault }) => vault),
      })),
    grants: database
      .all<Blob & { byte_ranges: string | null }>(
        'SELECT document, byte_ranges FROM grants ORDER BY added_at',
      )
      .map((row) => ({ document: toBase64(row.document), byteRanges: row.byte_ranges })),
    invitations: documents('invitations'),
    heads: database
      .all<Blob>('SELECT document FROM heads ORDER BY owner, number')
      .map(({ document }) => toBase64(document)),
    headsSeen: database.all<{ owner: string; number: number }>(
      'SELECT owner, number FROM heads_seen',
    ),
    custodians: documents('custodians'),
    policies: database.all<{ owner: string; document: string }>(
      'SELECT owner, document FROM policies',
    ),
    vaults: database.all<{ address: string }>('SELECT address FROM vaults').map((v) => v.address),
    tombstones: documents('tombstones'),
  }));
}

interface DatasetRow {
  id: string;
  manifest: Uint8Array;
  state: 'pending' | 'stored' | 'shredded';
  header: Uint8Array | null;
  part_header: Uint8Array | null;
}

/** Within one transaction (K2). */
function addAll(parts: CustodyParts, content: Backup): Restored {
  const { database, crypto } = parts;
  const secretKey = fromHex(content.key, { what: 'the key of the backup', bytes: KEY_BYTES });
  const key: KeyPair = { secretKey, publicKey: crypto.x25519PublicKey(secretKey) };
  const count = (table: string) =>
    database.get<{ count: number }>(`SELECT count(*) AS count FROM ${table}`)?.count ?? 0;
  const counts = () => ({
    datasets: count('datasets'),
    grants: count('grants'),
    invitations: count('invitations'),
  });
  const before = counts();
  for (const dataset of content.datasets) addDataset(parts, dataset, key);
  secretKey.fill(0);
  const { addTombstone } = tombstonesOf(parts);
  for (const bytes of content.tombstones ?? []) addTombstone(parseTombstone(bytesOf(bytes)));
  const { addGrant, addInvitation } = grantsOf(parts);
  for (const { document, byteRanges } of content.grants) {
    const grant = parseGrant(bytesOf(document));
    addGrant({ grant, byteRanges: byteRanges === null ? null : parseRanges(byteRanges) });
  }
  for (const invitation of content.invitations) addInvitation(parseInvitation(bytesOf(invitation)));
  addHeads(parts, content);
  const { setCustodian } = headsOf(parts);
  for (const custodian of content.custodians) setCustodian(parseCustodian(bytesOf(custodian)));
  for (const { owner, document } of content.policies) {
    // A policy of today is not undone by one of then.
    database.run('INSERT OR IGNORE INTO policies VALUES (?, ?)', owner, document);
  }
  for (const vault of content.vaults) datasetsOf(parts).addVault(parseNodeAddress(vault));
  const after = counts();
  return {
    datasets: after.datasets - before.datasets,
    grants: after.grants - before.grants,
    invitations: after.invitations - before.invitations,
  };
}

function addDataset(parts: CustodyParts, kept: Backup['datasets'][number], key: KeyPair): void {
  const { database, crypto, now } = parts;
  const store = datasetsOf(parts);
  const manifest = parseManifest(bytesOf(kept.manifest));
  const id = documentId(crypto, manifest.document);
  const isShreddedHere = store.getDataset(id)?.state === 'shredded';
  if (kept.header !== null && kept.partHeader !== null) {
    if (isShreddedHere) return;
    const keys = { reader: key, recipients: [parts.key.publicKey] };
    store.addDataset({
      manifest,
      header: rewrapHeader(crypto, bytesOf(kept.header), keys),
      partHeader: rewrapHeader(crypto, bytesOf(kept.partHeader), keys),
      vaults: kept.vaults.map(parseNodeAddress),
    });
    if (kept.state === 'stored') store.markStored(id);
    return;
  }
  // A tombstone, so that an older backup does not bring it back.
  database.run(
    `INSERT OR IGNORE INTO datasets (id, owner, state, manifest, added_at, shredded_at)
     VALUES (?, ?, 'shredded', ?, ?, ?)`,
    id,
    manifest.document.owner,
    bytesOf(kept.manifest),
    now(),
    now(),
  );
  for (const vault of kept.vaults) {
    const address = formatNodeAddress(parseNodeAddress(vault));
    database.run(
      'INSERT OR IGNORE INTO dataset_vaults (dataset, vault) VALUES (?, ?)',
      id,
      address,
    );
  }
}

/** Heads that follow on those that are here; earlier ones are known, later ones are kept. */
function addHeads(parts: CustodyParts, content: Backup): void {
  const { addHead, currentHead } = headsOf(parts);
  for (const bytes of content.heads) {
    const head = parseRevocationHead(bytesOf(bytes));
    const last = currentHead(head.document.owner)?.signed.document.number ?? 0;
    if (head.document.number <= last) continue;
    try {
      addHead(head);
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'CONFLICT')) throw error;
      // Two histories: the keys are restored all the same, and nothing is released before a head
      // of a higher number is here.
      noteSeenNumber(parts, head.document.owner, head.document.number);
    }
  }
  for (const { owner, number } of content.headsSeen) noteSeenNumber(parts, owner, number);
}

async function opened(
  { crypto }: CustodyParts,
  bytes: Uint8Array,
  passphrase: string,
): Promise<Uint8Array> {
  const start = MAGIC.length + SALT_BYTES + AEAD_NONCE_BYTES;
  if (bytes.length < start || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw new AppError('INPUT_WRONG_FORMAT', 'the file is no backup of a custody', {
      hint: 'Give the file that `biofs keys backup` wrote.',
    });
  }
  if (bytes.length > BACKUP_BYTES_MAX * 2) throw tooLarge();
  const aad = bytes.subarray(0, start);
  const salt = bytes.subarray(MAGIC.length, MAGIC.length + SALT_BYTES);
  const nonce = bytes.subarray(MAGIC.length + SALT_BYTES, start);
  const key = await crypto.scrypt({ ...SCRYPT, passphrase: passphraseBytes(passphrase), salt });
  const plaintext = crypto.aeadOpen({ key, nonce, sealed: bytes.subarray(start), aad });
  key.fill(0);
  if (plaintext !== undefined) return plaintext;
  throw new AppError('KEY_NOT_HELD', 'the passphrase does not open the backup', {
    hint: 'Give the passphrase with which it was made; a backup that was changed opens with none.',
  });
}

/** One form for the same passphrase typed on different machines. */
function passphraseBytes(passphrase: string): Uint8Array {
  return utf8(passphrase.normalize('NFKC'));
}

function bytesOf(text: string): Uint8Array {
  return fromBase64(text, 'a document in the backup');
}

function shortPassphrase(): AppError {
  return new AppError('USAGE', 'the passphrase is too short', {
    hint: `Take at least ${PASSPHRASE_CHARS_MIN} characters; several words are best.`,
  });
}

function tooLarge(): AppError {
  return new AppError('USAGE', `a backup of more than ${BACKUP_BYTES_MAX} bytes`, {
    hint: 'Copy the folders custody and identity of the data folder instead, while nothing runs.',
  });
}

function otherNetwork(): AppError {
  return new AppError('INPUT_MALFORMED', 'the backup is of another network', {
    hint: 'Restore it into a data folder of the network in which it was made.',
  });
}

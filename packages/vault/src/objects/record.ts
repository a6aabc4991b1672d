/** What the catalogue keeps of an object beside its blocks. */
import { AppError, type Digest } from '@helixmesh/protocol';
import {
  type Crypto,
  cidSchema,
  documentId,
  encodeDocument,
  manifestSchema,
  parseDocument,
  signedSchema,
  timeMsSchema,
  tombstoneSchema,
} from '@helixmesh/protocol/sealing';
import { z } from 'zod';
import { RECORD_BYTES_MAX } from '../limits.ts';

const storedSchema = z.strictObject({
  state: z.literal('stored'),
  signed: signedSchema(manifestSchema),
  /** Root of the list of all nonces and tags, 28 bytes a segment. */
  tagsCid: cidSchema,
  putAtMs: timeMsSchema,
});
export type StoredRecord = z.infer<typeof storedSchema>;

/** What is left of a deleted object: that its owner wants it to stay away. */
const deletedSchema = z.strictObject({
  state: z.literal('deleted'),
  signed: signedSchema(tombstoneSchema),
  deletedAtMs: timeMsSchema,
});

const recordSchema = z.discriminatedUnion('state', [storedSchema, deletedSchema]);
export type ObjectRecord = z.infer<typeof recordSchema>;

export function encodeRecord(record: ObjectRecord): Uint8Array {
  return encodeDocument(record);
}

/** The record of object `id`. Throws INPUT_MALFORMED for bytes that are not one. */
export function decodeRecord(crypto: Crypto, id: Digest, bytes: Uint8Array): ObjectRecord {
  const options = { what: 'the record of an object', maxBytes: RECORD_BYTES_MAX };
  const record = parseDocument(recordSchema, bytes, options);
  const itsId =
    record.state === 'deleted'
      ? record.signed.document.object
      : documentId(crypto, record.signed.document);
  if (itsId === id) return record;
  throw new AppError('INPUT_MALFORMED', 'the record of an object is that of another one', {
    hint: 'Put the object again, or restore the folder of the vault from a copy.',
  });
}

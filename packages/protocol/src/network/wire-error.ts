/**
 * Errors on the wire: the record of an AppError in the header or trailer `helixmesh-error`, base64 of
 * canonical JSON. Details and causes stay at the node that failed.
 */
import { z } from 'zod';
import { fromBase64, toBase64 } from '../bytes.ts';
import { AppError, ERROR_TABLE, type ErrorCode } from '../errors.ts';
import { WIRE_ERROR_BYTES_MAX, WIRE_ERROR_TEXT_CHARS_MAX } from '../limits.ts';
import { encodeDocument, parseDocument } from '../signing/document.ts';

export const ERROR_HEADER = 'helixmesh-error';

const codes = Object.keys(ERROR_TABLE) as [ErrorCode, ...ErrorCode[]];
const wireErrorSchema = z.strictObject({
  code: z.enum(codes),
  message: z.string(),
  hint: z.string().optional(),
});

/** The header's value. Long texts are cut: a header has to fit. */
export function encodeWireError({ code, message, hint }: AppError): string {
  const record = {
    code,
    message: cut(message),
    ...(hint === undefined ? {} : { hint: cut(hint) }),
  };
  return toBase64(encodeDocument(record));
}

/** The error in a header's value; undefined where the value holds none. */
export function decodeWireError(value: string): AppError | undefined {
  if (value.length > WIRE_ERROR_BYTES_MAX * 2) return undefined;
  const options = { what: 'an error', maxBytes: WIRE_ERROR_BYTES_MAX };
  try {
    const bytes = fromBase64(value, options.what);
    const { code, message, hint } = parseDocument(wireErrorSchema, bytes, options);
    return new AppError(code, message, hint === undefined ? {} : { hint });
  } catch (error) {
    // A peer that sends nonsense has failed all the same: the caller says so by the gRPC code.
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

/** At most so many characters, none of them half a one or, as JSON writes it, of six bytes. */
function cut(text: string): string {
  const short = text.slice(0, WIRE_ERROR_TEXT_CHARS_MAX).toWellFormed();
  return short.replaceAll(/\p{Cc}/gu, ' ');
}

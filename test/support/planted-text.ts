/** A planted text in the forms in which it could lie somewhere. */
import assert from 'node:assert/strict';

/** RFC 7541, appendix B: symbols by the length of their code, bits; codes follow from their order. */
const CODES: ReadonlyMap<string, string> = codesOf({
  5: '012aceiost',
  6: ' %-./3456789=A_bdfghlmnpru',
  7: ':BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz',
  8: '&*,;XZ',
});

/** As it is, in hexadecimal, in base64 and in a header of HTTP/2, at whatever bit it begins. */
export function formsOf(what: string, text: string): Record<string, Buffer> {
  const forms: Record<string, Buffer> = {
    [what]: Buffer.from(text),
    [`${what} in hexadecimal`]: Buffer.from(Buffer.from(text).toString('hex')),
  };
  for (const before of [0, 1, 2]) {
    const padded = Buffer.concat([Buffer.alloc(before), Buffer.from(text)]);
    // Digits that are of this text alone, and are the same in either alphabet.
    const digits = padded.toString('base64url').slice(Math.ceil((8 * before) / 6), -1);
    forms[`${what} in base64 (${before})`] = Buffer.from(digits);
  }
  const codes = [...text].map(
    (letter) => CODES.get(letter) ?? assert.fail(`no code for ${letter}`),
  );
  const bits = codes.join('');
  for (let before = 0; before < 8; before += 1) {
    const bytes = bits.slice((8 - before) % 8).match(/[01]{8}/g) ?? [];
    const packed = bytes.map((byte) => Number.parseInt(byte, 2));
    forms[`${what} in a header (${before})`] = Buffer.from(packed);
  }
  return forms;
}

function codesOf(byLength: Readonly<Record<string, string>>): Map<string, string> {
  const codes = new Map<string, string>();
  let [next, before] = [0, 0];
  for (const [bits, symbols] of Object.entries(byLength)) {
    next <<= Number(bits) - before;
    before = Number(bits);
    for (const symbol of symbols) codes.set(symbol, (next++).toString(2).padStart(before, '0'));
  }
  return codes;
}

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AppError } from '@helixmesh/protocol';
import fc from 'fast-check';
import { FastqScanner } from './scan-fastq.ts';

const BASES = 'ACGTUNRYSWKMBDHVacgtunryswkmbdhv.';
const GOOD = '@a\nACGTNACGTNA\n+\n#FFFFFFFFFF\n@b\nACGTNACGTNA\n+\n#FFFFFFFFFF\n';

interface Scanned {
  readonly names: string;
  readonly totals: object;
}

/** What a scanner says of a text that it is given in pieces of these lengths, and then the rest. */
function scan(text: Buffer, lengths: readonly number[] = []): Scanned {
  const scanner = new FastqScanner('R1');
  let names = '';
  let from = 0;
  for (const length of [...lengths, text.length]) {
    const piece = text.subarray(from, from + length);
    if (piece.length > 0) names += scanner.push(piece).toString('latin1');
    from += piece.length;
  }
  names += scanner.finish().toString('latin1');
  return { names, totals: scanner.totals };
}

function faultOf(text: Buffer): string | null {
  try {
    scan(text);
    return null;
  } catch (error) {
    assert(error instanceof AppError);
    return error.message;
  }
}

describe('FastqScanner', () => {
  it('accepts bases and qualities of Phred+33 and nothing else, wherever they stand', () => {
    const text = Buffer.from(`${GOOD}${GOOD}`, 'latin1');
    const seqAt = text.lastIndexOf('@b\n') + 3;
    const qualAt = text.lastIndexOf('+\n') + 2;
    const record = 'record 4 of R1';
    for (let byte = 0; byte < 256; byte++) {
      if (byte === 10) continue;
      for (let i = 0; i < 11; i++) {
        const withBase = Buffer.from(text);
        withBase[seqAt + i] = byte;
        const isBase = BASES.includes(String.fromCharCode(byte));
        const fault = byte === 13 ? 'has Windows line ends' : 'has a letter that is no base';
        assert.equal(faultOf(withBase), isBase ? null : `${record} ${fault}`);
        const withQuality = Buffer.from(text);
        withQuality[qualAt + i] = byte;
        const isQuality = byte >= 33 && byte <= 126;
        const wrong = `${record} has a quality that is not Phred+33`;
        assert.equal(faultOf(withQuality), isQuality ? null : wrong);
      }
    }
  });

  it('says which line is at fault where lengths do not agree', () => {
    const faults = [
      ['@c\nACGT\nCGTNA\n\n+\n', "has no third line that begins with '+'"],
      ['@c\nACGTNACGTNAC\n+\n#FFFFFFFFFF\n@d\n', 'has fewer qualities than bases'],
      ['@c\nACGTNACGTN\n+\n#FFFFFFFFFF\n', 'has more qualities than bases'],
      ['@c\nACGTNACGTNA\n+\n#FFFF\nFFFFF\n', 'has fewer qualities than bases'],
    ] as const;
    for (const [bad, fault] of faults) {
      assert.equal(faultOf(Buffer.from(`${GOOD}${bad}`)), `record 3 of R1 ${fault}`);
    }
  });

  it('says the same however the text is cut into pieces', () => {
    const record = fc.record({
      name: fc.stringMatching(/^[!-~]{0,9}(\/[12])?( [ -~]{0,9})?$/),
      bases: fc.stringMatching(/^[ACGTN]{0,12}$/),
      isLong: fc.boolean(),
    });
    const records = fc.array(record, { minLength: 1, maxLength: 30 });
    const lengths = fc.array(fc.integer({ min: 1, max: 3000 }), { maxLength: 30 });
    fc.assert(
      fc.property(records, lengths, (given, cuts) => {
        const parts = given.map(({ name, bases, isLong }) => {
          const all = isLong ? bases.repeat(150) : bases;
          return `@${name}\n${all}\n+\n${'#I'.repeat(all.length).slice(all.length)}\n`;
        });
        const text = Buffer.from(parts.join(''));
        const names = given.map(({ name }) =>
          (name.split(' ')[0] ?? '').replace(/(?<=.)\/[12]$/, ''),
        );
        const whole = scan(text);
        assert.equal(whole.names, names.map((name) => `${name}\n`).join(''));
        assert.deepEqual(scan(text, cuts), whole);
      }),
    );
  });
});

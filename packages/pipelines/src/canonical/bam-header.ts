/** The part of a BAM header (SAMv1 §4.2) that belongs to the canonical content. */

export interface CanonicalHeader {
  readonly text: string;
  /** Bytes of the binary header. */
  readonly sizeBytes: number;
}

/**
 * Keeps @HD SO, the contigs (SN, LN, and M5 where it is given) in their order and the @RG lines
 * sorted; @PG, @CO and all else are dropped. Null while `bytes` do not hold the whole header.
 */
export function readCanonicalHeader(bytes: Buffer): CanonicalHeader | null {
  if (bytes.length < 8) return null;
  const textEnd = 8 + bytes.readInt32LE(4);
  if (bytes.length < textEnd + 4) return null;
  const lines = bytes.toString('utf8', 8, textEnd).replace(/\0+$/, '').split('\n');
  const checksums = md5ByContig(lines);
  const kept: string[] = [`@HD\tSO:${sortOrder(lines)}`];
  const contigs = bytes.readInt32LE(textEnd);
  let at = textEnd + 4;
  for (let i = 0; i < contigs; i++) {
    if (bytes.length < at + 4) return null;
    const nameBytes = bytes.readInt32LE(at);
    if (bytes.length < at + 8 + nameBytes) return null;
    const name = bytes.toString('utf8', at + 4, at + 3 + nameBytes);
    const checksum = checksums.get(name);
    const length = bytes.readInt32LE(at + 4 + nameBytes);
    kept.push(`@SQ\tSN:${name}\tLN:${length}${checksum === undefined ? '' : `\tM5:${checksum}`}`);
    at += 8 + nameBytes;
  }
  kept.push(...lines.filter((line) => line.startsWith('@RG\t')).sort());
  return { text: kept.map((line) => `${line}\n`).join(''), sizeBytes: at };
}

function sortOrder(lines: readonly string[]): string {
  const fields = lines.find((line) => line.startsWith('@HD\t'))?.split('\t') ?? [];
  return fields.find((field) => field.startsWith('SO:'))?.slice(3) ?? 'unknown';
}

function md5ByContig(lines: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of lines) {
    if (!line.startsWith('@SQ\t')) continue;
    const fields = line.split('\t');
    const name = fields.find((field) => field.startsWith('SN:'))?.slice(3);
    const checksum = fields.find((field) => field.startsWith('M5:'))?.slice(3);
    if (name !== undefined && checksum !== undefined) found.set(name, checksum.toLowerCase());
  }
  return found;
}

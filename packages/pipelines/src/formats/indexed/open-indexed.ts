/** What a BGZF file is, and its header: BAM and VCF. */
import { AppError } from '@helixmesh/protocol';
import { HEADER_BYTES_MAX } from '../limits.ts';
import { isBam, parseBamHeader } from './bam-alignments.ts';
import { type BgzfBlock, blocksOf, type RangedBytes } from './bgzf-blocks.ts';
import type { RecordFormat } from './record-format.ts';
import { isVcf, parseVcfHeader } from './vcf-lines.ts';

export interface IndexedFile {
  readonly kind: 'bam' | 'vcf';
  readonly format: RecordFormat;
  /** The header as it stands in the file, decompressed. */
  readonly header: Buffer;
  /** Where the last block ends that the header lies in. */
  readonly headerEnd: number;
  /** Where the first record begins. */
  readonly first: { readonly block: number; readonly within: number };
}

/** Asked for first, bytes; more by and by where the header is longer. */
const WINDOW_BYTES = 16 * 1024;
const WINDOW_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Reads the header. No byte at `limit` or behind it is asked for. Throws INPUT_WRONG_FORMAT,
 * INPUT_MALFORMED, INPUT_TRUNCATED.
 */
export async function openIndexed(
  source: RangedBytes,
  limit = source.sizeBytes,
): Promise<IndexedFile> {
  let content: Buffer = Buffer.alloc(0);
  let window = WINDOW_BYTES;
  let at = 0;
  while (at < limit) {
    const places = { start: at, end: Math.min(at + window, limit) };
    for await (const block of blocksOf(source, places, limit)) {
      content = Buffer.concat([content, block.content]);
      const found = parsed(content, { block, isAll: block.end >= limit });
      if (found !== undefined) return found;
      at = block.end;
    }
    if (at < places.end) break;
    window = Math.min(2 * window, WINDOW_BYTES_MAX);
  }
  throw new AppError('INPUT_TRUNCATED', 'the file ends within its header', {
    hint: 'Store the file anew from a good copy.',
  });
}

function parsed(
  content: Buffer,
  { block, isAll }: { readonly block: BgzfBlock; readonly isAll: boolean },
): IndexedFile | undefined {
  if (content.length === 0) return undefined;
  const kind = kindOf(content);
  const header = kind === 'bam' ? parseBamHeader(content) : parseVcfHeader(content, isAll);
  if (header === undefined) {
    if (content.length <= HEADER_BYTES_MAX) return undefined;
    throw new AppError('INPUT_MALFORMED', 'the header of the file is too long', {
      hint: `A header of at most ${HEADER_BYTES_MAX} bytes is read.`,
    });
  }
  const within = block.content.length - (content.length - header.sizeBytes);
  const isOver = within === block.content.length;
  return {
    kind,
    format: header.format,
    header: Buffer.from(content.subarray(0, header.sizeBytes)),
    headerEnd: block.end,
    first: isOver ? { block: block.end, within: 0 } : { block: block.start, within },
  };
}

function kindOf(content: Buffer): 'bam' | 'vcf' {
  if (isBam(content)) return 'bam';
  if (isVcf(content)) return 'vcf';
  throw new AppError('INPUT_WRONG_FORMAT', 'the file is neither BAM nor a bgzipped VCF', {
    hint: 'Read it by bytes, or store it as BAM or as VCF compressed with bgzip.',
  });
}

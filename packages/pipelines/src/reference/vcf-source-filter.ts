/**
 * The first stage of preparing an annotation VCF: renames contigs, drops those that the reference
 * does not have, replaces the header's contig lines, and checks positions and REF alleles. It works
 * on bytes as they stream by; everything else about VCF is left to bcftools behind it.
 *
 * bcftools alone could not: dbSNP has no contig lines, so that its contigs cannot be told before
 * the last record is read, and ClinVar's `##ID=<…>` is no line of VCF and has broken indexing.
 */
import { AppError } from '@helixmesh/protocol';
import type { Contig } from '../germline/input.ts';
import { type ContigMapper, contigMapper, noCommonContig } from './contig-mapper.ts';
import type { FastaReader } from './fasta-reader.ts';
import {
  MAX_DROPPED_NAMES,
  MAX_SOURCE_LINE_BYTES,
  MAX_VCF_HEADER_BYTES,
  REF_CHECK_RECORDS,
  REF_MISMATCH_MAX_FRACTION,
} from './limits.ts';
import type { SourceFile } from './source-stream.ts';

const NEWLINE = 0x0a;
const TAB = 0x09;
const OUT_BYTES = 1 << 20;

export interface VcfFilterStats {
  keptRecords: number;
  droppedRecords: number;
  /** The first few, for people. */
  readonly droppedContigs: string[];
  isSorted: boolean;
  /** `##fileDate`, else null. */
  fileDate: string | null;
  checkedRefs: number;
  differingRefs: number;
}

export interface VcfFilterOptions {
  readonly source: SourceFile;
  readonly contigs: readonly Contig[];
  readonly reference: FastaReader;
  /** INFO definitions, by tag, that the result must have where the source has none. */
  readonly info: ReadonlyMap<string, string>;
}

/** Filled in while the filter runs. */
export function emptyStats(): VcfFilterStats {
  return {
    keptRecords: 0,
    droppedRecords: 0,
    droppedContigs: [],
    isSorted: true,
    fileDate: null,
    checkedRefs: 0,
    differingRefs: 0,
  };
}

/** The filtered VCF text. Throws INPUT_WRONG_FORMAT, INPUT_MALFORMED or CONTIG_MISMATCH. */
export async function* filterVcf(
  input: AsyncIterable<Buffer>,
  options: VcfFilterOptions,
  stats: VcfFilterStats,
): AsyncGenerator<Buffer> {
  const body = new VcfBody(options, stats);
  let header: Buffer | null = Buffer.alloc(0);
  for await (const chunk of input) {
    let rest = chunk;
    if (header !== null) {
      header = Buffer.concat([header, chunk]);
      const end = headerEnd(header, options.source);
      if (end === null) continue;
      rest = header.subarray(end);
      yield body.begin(header.toString('utf8', 0, end));
      header = null;
    }
    yield* body.push(rest);
  }
  if (header !== null) throw notVcf(options.source, 'it has no #CHROM line');
  yield* body.finish();
}

/** Offset behind the `#CHROM` line, or null when it has not come yet. */
function headerEnd(bytes: Buffer, source: SourceFile): number | null {
  if (bytes.length > 1 && bytes.toString('latin1', 0, 2) !== '##') {
    const isBcf = bytes.toString('latin1', 0, 3) === 'BCF';
    throw notVcf(source, isBcf ? 'it is BCF' : 'it does not begin with "##"');
  }
  const columns = bytes.indexOf('\n#CHROM');
  const end = columns === -1 ? -1 : bytes.indexOf(NEWLINE, columns + 1);
  if (end !== -1) return end + 1;
  if (bytes.length > MAX_VCF_HEADER_BYTES) throw notVcf(source, 'its header does not end');
  return null;
}

function notVcf(source: SourceFile, why: string): AppError {
  return new AppError('INPUT_WRONG_FORMAT', `${source.label}: ${source.path} is not VCF: ${why}`, {
    hint: 'Give a VCF, plain or compressed (`bcftools view -Oz` converts BCF).',
  });
}

class VcfBody {
  private readonly options: VcfFilterOptions;
  private readonly stats: VcfFilterStats;
  private mapper: ContigMapper | null = null;
  private readonly seenNames: string[] = [];
  private readonly seen = new Set<string>();
  private runName: Buffer = Buffer.alloc(0);
  private run: Contig | null = null;
  private runNewName: Buffer = Buffer.alloc(0);
  private lastPos1 = 0;
  private line = 0;
  private carry: Buffer = Buffer.alloc(0);
  private out = Buffer.allocUnsafe(OUT_BYTES);
  private used = 0;

  constructor(options: VcfFilterOptions, stats: VcfFilterStats) {
    this.options = options;
    this.stats = stats;
  }

  /** Takes the header and gives the one to write. */
  begin(text: string): Buffer {
    const lines = text.replaceAll('\r', '').trimEnd().split('\n');
    this.line = lines.length;
    const statedLengths = new Map<string, number>();
    const kept: string[] = [];
    for (const line of lines) {
      this.stats.fileDate = /^##fileDate=(.+)$/.exec(line)?.[1] ?? this.stats.fileDate;
      if (line.startsWith('##contig=<')) {
        const name = /[<,]ID=([^,>]+)/.exec(line)?.[1] ?? '';
        const length = /[<,]length=(\d+)/.exec(line)?.[1];
        if (length !== undefined) statedLengths.set(name, Number(length));
        this.seenNames.push(name);
      } else if (!line.startsWith('##ID=')) {
        kept.push(line);
      }
    }
    const { contigs, source } = this.options;
    this.mapper = contigMapper(contigs, { label: source.label, statedLengths });
    const columns = kept.pop() ?? '';
    if (columns.split('\t').length < 8) throw notVcf(source, 'its #CHROM line is too short');
    const missing = [...this.options.info].filter(
      ([tag]) => !kept.some((line) => line.startsWith(`##INFO=<ID=${tag},`)),
    );
    kept.push(...missing.map(([, line]) => line));
    const contigLines = contigs.map((c) => `##contig=<ID=${c.name},length=${c.lengthBases}>`);
    return Buffer.from(`${[...kept, ...contigLines, columns].join('\n')}\n`);
  }

  *push(chunk: Buffer): Generator<Buffer> {
    const data = this.carry.length === 0 ? chunk : Buffer.concat([this.carry, chunk]);
    let from = 0;
    for (;;) {
      const end = data.indexOf(NEWLINE, from);
      if (end === -1) break;
      yield* this.record(data, from, end);
      from = end + 1;
    }
    this.carry = Buffer.from(data.subarray(from));
    if (this.carry.length > MAX_SOURCE_LINE_BYTES) throw this.malformed('the line is too long');
  }

  *finish(): Generator<Buffer> {
    if (this.carry.length > 0) yield* this.record(this.carry, 0, this.carry.length);
    this.checkRefShare();
    if (this.stats.keptRecords === 0) this.requireCommonContig();
    if (this.used > 0) yield this.out.subarray(0, this.used);
  }

  /** One record, `from` inclusive, `end` exclusive without its newline. */
  private *record(data: Buffer, from: number, end: number): Generator<Buffer> {
    this.line++;
    if (end === from) return;
    const tab = data.indexOf(TAB, from);
    if (tab === -1 || tab >= end) throw this.malformed('there is no second column');
    this.enterRun(data.subarray(from, tab));
    if (this.run === null) {
      this.stats.droppedRecords++;
      return;
    }
    this.position(data, tab + 1, end);
    if (this.stats.checkedRefs < REF_CHECK_RECORDS)
      this.checkRef(data.toString('latin1', tab, end));
    this.stats.keptRecords++;
    const need = this.runNewName.length + end - tab + 1;
    if (this.used + need > this.out.length) {
      if (this.used > 0) yield this.out.subarray(0, this.used);
      this.out = Buffer.allocUnsafe(Math.max(OUT_BYTES, need));
      this.used = 0;
    }
    this.used += this.runNewName.copy(this.out, this.used);
    this.used += data.copy(this.out, this.used, tab, end);
    this.out[this.used++] = NEWLINE;
  }

  private enterRun(name: Buffer): void {
    if (this.runName.equals(name)) return;
    const text = name.toString('utf8');
    this.runName = Buffer.from(name);
    this.run = this.mapper?.map(text) ?? null;
    this.lastPos1 = 0;
    if (this.seenNames.length < MAX_DROPPED_NAMES) this.seenNames.push(text);
    if (this.run === null) {
      const { droppedContigs } = this.stats;
      const isNew = !droppedContigs.includes(text) && droppedContigs.length < MAX_DROPPED_NAMES;
      if (isNew) droppedContigs.push(text);
      return;
    }
    this.runNewName = Buffer.from(this.run.name);
    if (this.seen.has(this.run.name)) this.stats.isSorted = false;
    this.seen.add(this.run.name);
  }

  private position(data: Buffer, from: number, end: number): void {
    let pos1 = 0;
    let at = from;
    for (; at < end && data[at] !== TAB; at++) {
      const digit = (data[at] as number) - 0x30;
      if (digit < 0 || digit > 9) throw this.malformed('POS is not a number');
      pos1 = pos1 * 10 + digit;
    }
    if (at === from || at >= end) throw this.malformed('there are too few columns');
    const length = this.run?.lengthBases ?? 0;
    if (pos1 > length) throw this.beyondEnd(pos1, length);
    if (pos1 < this.lastPos1) this.stats.isSorted = false;
    this.lastPos1 = pos1;
  }

  /** `rest` begins with the tab before POS. */
  private checkRef(rest: string): void {
    const [, pos, , ref] = rest.split('\t', 5);
    if (ref === undefined) throw this.malformed('there are too few columns');
    const start = Number(pos) - 1;
    const { run } = this;
    if (run === null || start < 0 || start + ref.length > run.lengthBases) return;
    if (!/^[ACGT]+$/i.test(ref)) return;
    const bases = this.options.reference.read(run.name, start, ref.length);
    this.stats.checkedRefs++;
    // An ambiguous or masked base of the reference says nothing about the assembly.
    if (bases !== ref.toUpperCase() && /^[ACGT]+$/.test(bases)) this.stats.differingRefs++;
    if (this.stats.checkedRefs === REF_CHECK_RECORDS) this.checkRefShare();
  }

  private checkRefShare(): void {
    const { checkedRefs, differingRefs } = this.stats;
    if (differingRefs <= checkedRefs * REF_MISMATCH_MAX_FRACTION) return;
    throw new AppError(
      'CONTIG_MISMATCH',
      `${this.options.source.label}: REF differs from the reference in ${differingRefs} of the ` +
        `first ${checkedRefs} records`,
      { hint: 'Give an annotation of the same genome assembly as the FASTA.' },
    );
  }

  private requireCommonContig(): void {
    const { contigs, source } = this.options;
    if (this.seenNames.length === 0) return;
    if (this.seenNames.some((name) => this.mapper?.map(name) != null)) return;
    throw noCommonContig(source.label, this.seenNames, contigs);
  }

  private beyondEnd(pos1: number, length: number): AppError {
    const { label } = this.options.source;
    const name = this.run?.name ?? '';
    return new AppError(
      'CONTIG_MISMATCH',
      `${label}: position ${pos1} is beyond the end of ${name} (${length} bases)`,
      { hint: 'Give an annotation of the same genome assembly as the FASTA.' },
    );
  }

  private malformed(why: string): AppError {
    const { label, path } = this.options.source;
    return new AppError('INPUT_MALFORMED', `${label}: ${path}, line ${this.line}: ${why}`, {
      hint: 'Get the file again; it is not VCF from this line on.',
    });
  }
}

/** What reading by region has to know of a format: where records end, and where they lie. */

/** Where a record lies, bases 0-based half-open. */
export interface RecordPlace {
  readonly refName: string;
  readonly start: number;
  readonly end: number;
}

/** A format whose header was read. All offsets are into decompressed bytes. */
export interface RecordFormat {
  /** Contigs in their order; null where the index says (VCF). */
  readonly contigs: readonly string[] | null;
  /** Whether the header names a contig; one without records is in no index. */
  hasContig(refName: string): boolean;
  /** Where the record at `at` ends; undefined when more bytes are needed. Throws INPUT_MALFORMED. */
  endOf(bytes: Buffer, at: number): number | undefined;
  /** Undefined for a record without a place. */
  placeOf(bytes: Buffer, at: number, end: number): RecordPlace | undefined;
  /**
   * Where the first whole record begins in bytes that may begin in the middle of one; undefined when
   * more bytes are needed. With `isAll` no more will come, and without a record it is their end.
   */
  firstIn(bytes: Buffer, isAll: boolean): number | undefined;
  /** The last record, of which no more will come; null when it is not whole. */
  lastOf(rest: Buffer): Buffer | null;
}

export interface ParsedHeader {
  readonly format: RecordFormat;
  readonly sizeBytes: number;
}

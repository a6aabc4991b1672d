/** What the germline pipeline is given: the job document, all of it content-addressed. */
import type { CallPart, Digest, SampleId } from '@helixmesh/protocol';

/** A file of the machine that runs the job. `location` takes no part in any hash. */
export interface FileRef {
  /** Base name inside the bundle or the job, e.g. `ref.fa.bwt`. */
  readonly name: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly location: string;
}

/** What every stage is given. */
export interface AnalysisInput {
  readonly sampleId: SampleId;
  readonly reference: ReferenceBundle;
  readonly parameters: GermlineParameters;
  /** Exact versions of the tools on this machine when the job was submitted. */
  readonly toolVersions: Readonly<Record<string, string>>;
}

export interface GermlineInput extends AnalysisInput {
  /** Digest is an identity by (path, size, mtime, inode) until the intake task has read them. */
  readonly reads: { readonly r1: FileRef; readonly r2: FileRef | null };
}

/** Of a stage that begins where others have ended. */
export interface StagedInput extends AnalysisInput {
  readonly reads: null;
  readonly staged: readonly StagedFile[];
}

export interface CallInput extends StagedInput {
  readonly part: CallPart;
}

export interface FinishInput extends StagedInput {
  /** Of how many parts the calls are. */
  readonly parts: number;
}

/** The document of a job. */
export type AnalysisDocument = GermlineInput | CallInput | FinishInput;

/** A file of an earlier stage: `name` is its path there, `digest` that of its canonical content. */
export interface StagedFile extends FileRef {
  /** Who delivered it: `align` or `call.3`. */
  readonly task: string;
}

export interface GermlineParameters {
  readonly aligner: 'bwa' | 'minimap2';
  readonly caller: 'auto' | 'freebayes' | 'bcftools';
  readonly sex: 'infer' | 'XX' | 'XY';
  readonly shardTargetBases: number;
}

/** A prepared reference, as `helixmesh reference add` keeps it. */
export interface ReferenceBundle {
  readonly name: string;
  /** Digest over the canonical JSON of the bundle's manifest without locations. */
  readonly digest: Digest;
  readonly contigs: readonly Contig[];
  /** Pseudo-autosomal regions, 0-based half-open; empty where the reference names none. */
  readonly par: readonly Region[];
  /** Keyed by role; `ref.fa` and `ref.fa.fai` are always there. */
  readonly files: Readonly<Record<string, FileRef>>;
  /** What the annotation files say of their own release or date, by kind. */
  readonly releases?: Readonly<Partial<Record<AnnotationKind, string>>>;
}

export type AnnotationKind = 'gff' | 'clinvar' | 'dbsnp' | 'gnomad';

export interface Contig {
  readonly name: string;
  readonly lengthBases: number;
}

/** 0-based half-open. */
export interface Region {
  readonly refName: string;
  readonly start: number;
  readonly end: number;
}

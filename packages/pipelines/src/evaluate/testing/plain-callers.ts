/**
 * The plain tools, with the very commands that the published figures were made with. Without fastp
 * the same callers give other figures (freebayes 2 instead of 4 false positives unfiltered).
 */
import { shell } from '../../testing/shell.ts';

export interface PlainInput {
  /** Working folder, holding `ref.fa`; every file is made there under a fixed relative name. */
  readonly folder: string;
  readonly r1: string;
  readonly r2: string;
}

/** `fastp | bwa mem | fixmate | sort | markdup` into `aligned.bam`, indexed. */
export async function plainBam(input: PlainInput): Promise<void> {
  await shell(input.folder, 'samtools faidx ref.fa && bwa index ref.fa');
  const env = { R1: input.r1, R2: input.r2 };
  await shell(
    input.folder,
    'fastp -i "$R1" -I "$R2" --stdout -w 1 -j fastp.json -h fastp.html' +
      " | bwa mem -p -K 100000000 -Y -t 2 -R '@RG\\tID:S\\tSM:S' ref.fa -" +
      ' | samtools fixmate -m -u - - | samtools sort -u -T sort -' +
      ' | samtools markdup -T markdup - aligned.bam && samtools index aligned.bam',
    env,
  );
}

/** Both callers with their defaults on `aligned.bam`. */
export async function plainCalls(folder: string): Promise<void> {
  await shell(folder, 'freebayes -f ref.fa aligned.bam > freebayes.vcf');
  await shell(
    folder,
    'bcftools mpileup -f ref.fa aligned.bam | bcftools call -mv -O v -o bcftools.vcf',
  );
}

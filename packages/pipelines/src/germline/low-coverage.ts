/**
 * The builtin `low-coverage`: from `targets.bed`, `targets.json` and `depth.tsv` (samtools depth -aa
 * over the targets) to `low-coverage.json` and `low-coverage.bed`.
 *
 *   L1  Regions are disjoint, in the order of the reference, inside of one target, and every base of
 *       them is below its target's threshold; the base on either side is not, or is another target's.
 *   L2  Every base of the targets is in `depth.tsv` once, in order; else RESULT_DIFFERS.
 *   L3  Memory holds the targets and the listed regions; depths stream through.
 *
 * Where the reads are confined to a part of the reference, a gene counts when one of its exons has a mean depth of at least
 * CALLABLE_MIN_DEPTH; the others are what the panel does not aim at. A gene that failed as a whole
 * cannot be told from these.
 */
import { type FileHandle, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson } from '@helixmesh/protocol';
import { readLines } from '../formats/gzip/lines.ts';
import { MAX_LOW_COVERAGE_GENES, MAX_LOW_COVERAGE_REGIONS } from '../report/limits.ts';
import {
  type LowCoverage,
  type LowCoverageRegion,
  type LowCoverageScope,
  lowCoverageSchema,
} from '../report/model-low-coverage.ts';
import type { BuiltinContext } from '../task/builtin.ts';
import {
  type CoverageTarget,
  GENE_SEPARATOR,
  TARGETS_BED,
  TARGETS_JSON,
  targetsSchema,
} from './coverage-targets.ts';
import { type DepthVisitor, visitDepths } from './depth-reader.ts';
import {
  CALLABLE_MIN_DEPTH,
  COVERAGE_MIN_BASE_QUALITY,
  COVERAGE_MIN_MAPPING_QUALITY,
  LOW_COVERAGE_DEPTH,
  LOW_COVERAGE_HAPLOID_DEPTH,
} from './limits.ts';

export const DEPTH_TSV = 'depth.tsv';
export const LOW_COVERAGE_JSON = 'low-coverage.json';
export const LOW_COVERAGE_BED = 'low-coverage.bed';

/** Gathered before it is written. */
const BED_LETTERS = 1 << 16;
/** Decimals of a mean depth in `low-coverage.json`. */
const DEPTH_SCALE = 100;

export async function lowCoverage({ folder, progress }: BuiltinContext): Promise<void> {
  const { scope } = targetsSchema.parse(
    JSON.parse(await readFile(join(folder, TARGETS_JSON), 'utf8')),
  );
  const bed = await open(join(folder, LOW_COVERAGE_BED), 'w');
  let result: LowCoverage | null = null;
  try {
    await bed.write(headLine(scope));
    if (scope !== null) result = lowCoverageSchema.parse(await findLow(folder, scope, bed));
  } finally {
    await bed.close();
  }
  await writeFile(join(folder, LOW_COVERAGE_JSON), `${canonicalJson(result)}\n`);
  progress(1);
}

function headLine(scope: LowCoverageScope | null): string {
  if (scope === null) return '# not computed: what should be covered is not known\n';
  return (
    `# ${scope} below ${LOW_COVERAGE_DEPTH}x (${LOW_COVERAGE_HAPLOID_DEPTH}x where one copy is ` +
    `expected), of mapping quality ${COVERAGE_MIN_MAPPING_QUALITY} and base quality ` +
    `${COVERAGE_MIN_BASE_QUALITY} or more; columns: contig, start, end, genes, mean depth\n`
  );
}

async function findLow(
  folder: string,
  scope: LowCoverageScope,
  bed: FileHandle,
): Promise<LowCoverage> {
  const targets = await readTargets(join(folder, TARGETS_BED));
  const depths = join(folder, DEPTH_TSV);
  const genes =
    scope === 'coding exons of covered genes' ? await coveredGenes(depths, targets) : null;
  const finder = new LowRegionFinder(genes, bed);
  await visitDepths(depths, targets, finder);
  await finder.flush();
  return {
    scope,
    thresholdDepth: LOW_COVERAGE_DEPTH,
    haploidThresholdDepth: LOW_COVERAGE_HAPLOID_DEPTH,
    examinedBases: finder.examinedBases,
    totalRegions: finder.totalRegions,
    totalBases: finder.totalBases,
    regions: finder.longest(),
  };
}

async function readTargets(path: string): Promise<readonly CoverageTarget[]> {
  const targets: CoverageTarget[] = [];
  for await (const line of readLines(path)) {
    if (line === '') continue;
    const [refName = '', start, end, genes = '', threshold] = line.split('\t');
    targets.push({
      refName,
      start: Number(start),
      end: Number(end),
      thresholdDepth: Number(threshold),
      genes: genes === '' ? [] : genes.split(GENE_SEPARATOR),
    });
  }
  return targets;
}

/** Genes with an exon of a mean depth of at least CALLABLE_MIN_DEPTH. */
async function coveredGenes(
  path: string,
  targets: readonly CoverageTarget[],
): Promise<ReadonlySet<string>> {
  const genes = new Set<string>();
  let sum = 0;
  await visitDepths(path, targets, {
    base: (_, __, depth) => {
      sum += depth;
    },
    targetEnd: (target) => {
      if (sum >= CALLABLE_MIN_DEPTH * (target.end - target.start)) {
        for (const gene of target.genes) genes.add(gene);
      }
      sum = 0;
    },
    pause: async () => undefined,
  });
  return genes;
}

/** Finds regions base by base, writes all of them to the BED and keeps the longest. */
class LowRegionFinder implements DepthVisitor {
  examinedBases = 0;
  totalRegions = 0;
  totalBases = 0;
  /** Null: all genes count. */
  readonly #genes: ReadonlySet<string> | null;
  readonly #bed: FileHandle;
  #start = -1;
  #depthSum = 0;
  #text = '';
  #longest: LowCoverageRegion[] = [];

  constructor(genes: ReadonlySet<string> | null, bed: FileHandle) {
    this.#genes = genes;
    this.#bed = bed;
  }

  base(target: CoverageTarget, position: number, depth: number): void {
    if (depth >= target.thresholdDepth) {
      if (this.#start >= 0) this.#close(target, position);
      return;
    }
    if (this.#start < 0) this.#start = position;
    this.#depthSum += depth;
  }

  targetEnd(target: CoverageTarget): void {
    if (this.#counts(target)) this.examinedBases += target.end - target.start;
    if (this.#start >= 0) this.#close(target, target.end);
  }

  async pause(): Promise<void> {
    if (this.#text.length >= BED_LETTERS) await this.flush();
  }

  async flush(): Promise<void> {
    await this.#bed.write(this.#text);
    this.#text = '';
  }

  /** Longest first; of one length in the order of the reference. */
  longest(): LowCoverageRegion[] {
    const byLength = (a: LowCoverageRegion, b: LowCoverageRegion) =>
      b.end - b.start - (a.end - a.start);
    return this.#longest.toSorted(byLength).slice(0, MAX_LOW_COVERAGE_REGIONS);
  }

  #close(target: CoverageTarget, end: number): void {
    const { refName, genes } = target;
    const start = this.#start;
    const meanDepth = this.#depthSum / (end - start);
    this.#start = -1;
    this.#depthSum = 0;
    if (!this.#counts(target)) return;
    this.totalRegions += 1;
    this.totalBases += end - start;
    const name = genes.length === 0 ? '.' : genes.join(GENE_SEPARATOR);
    this.#text += `${refName}\t${start}\t${end}\t${name}\t${Math.round(meanDepth)}\n`;
    this.#longest.push({
      refName,
      start,
      end,
      meanDepth: Math.round(meanDepth * DEPTH_SCALE) / DEPTH_SCALE,
      genes: genes.slice(0, MAX_LOW_COVERAGE_GENES),
    });
    if (this.#longest.length >= 2 * MAX_LOW_COVERAGE_REGIONS) this.#longest = this.longest();
  }

  #counts({ genes }: CoverageTarget): boolean {
    const chosen = this.#genes;
    return chosen === null || genes.some((gene) => chosen.has(gene));
  }
}

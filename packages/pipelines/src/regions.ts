/** `@helixmesh/pipelines/regions`: records of a region out of BAM and VCF files that lie elsewhere. */
export type { ByteRange, RangedBytes } from './formats/indexed/bgzf-blocks.ts';
export { parseRegionIndex, type RegionIndex } from './formats/indexed/region-index.ts';
export {
  bgzipped,
  recordsByIndex,
  recordsOfGrant,
  regionBytes,
} from './formats/indexed/region-piece.ts';
export { INDEX_BYTES_MAX } from './formats/limits.ts';

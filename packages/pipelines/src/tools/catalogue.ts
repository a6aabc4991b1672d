/**
 * The outside programs that steps may use: how each is started, how it tells its version and which
 * Debian package brings it. `helixmesh` stands for the functions of this package (builtins).
 */
export const TOOL_NAMES = [
  'fastp',
  'bwa',
  'minimap2',
  'samtools',
  'bcftools',
  'tabix',
  'bgzip',
  'freebayes',
  'snpeff',
  'helixmesh',
] as const;
export type ToolName = (typeof TOOL_NAMES)[number];

/** What a simulation can be told; defaults and descriptions feed the command line's help. */
import { z } from 'zod';

const fraction = z.number().min(0).max(1);

export const simulationOptionsSchema = z.strictObject({
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(1)
    .describe('the same seed and options give the same files'),
  sampleId: z.string().min(1).default('SYNTHETIC').describe('sample name in truth.vcf.gz'),
  contigs: z
    .int()
    .min(1)
    .max(24)
    .default(24)
    .describe('chromosomes; from 3 on the last two are chrX and chrY'),
  basesPerContig: z.int().min(20_000).max(5_000_000).default(50_000).describe('bases of each'),
  mitochondrion: z.boolean().default(true).describe('add chrM of up to 16,569 bases'),
  sex: z.enum(['XX', 'XY']).default('XY').describe('sex chromosomes of the sample'),
  coverage: z.number().min(0.1).max(200).default(30).describe('mean depth of diploid regions'),
  mitochondrialCoverage: z.number().min(0.1).max(5000).default(200).describe('mean depth of chrM'),
  snvsPerKilobase: z.number().min(0).max(5).default(1).describe('single-base variants per 1,000'),
  indelsPerKilobase: z.number().min(0).max(2).default(0.15).describe('indels of 1–20 per 1,000'),
  heteroplasmies: z
    .array(fraction.gt(0))
    .max(20)
    .default([1, 0.6, 0.2])
    .describe('fractions of chrM variants'),
  genesPerContig: z.int().min(0).max(50).default(3).describe('coding genes on each chromosome'),
  readLength: z.int().min(50).max(300).default(150).describe('bases of each mate'),
  insertMean: z.number().min(100).max(1000).default(400).describe('mean fragment length, bases'),
  insertDeviation: z.number().min(0).max(200).default(60).describe('its standard deviation'),
  errorScale: z.number().min(0).max(20).default(1).describe('errors per error the quality tells'),
  adapterFraction: fraction.default(0.01).describe('fragments shorter than a read'),
  duplicateFraction: fraction.max(0.9).default(0.05).describe('fragments that repeat another'),
});

export type SimulationOptions = z.infer<typeof simulationOptionsSchema>;
export type SimulationOptionsInput = z.input<typeof simulationOptionsSchema>;

/** Terms and purposes on the command line. */
import {
  operatorsSchema,
  type Purpose,
  type Range,
  type Region,
  regionSchema,
  type Terms,
  TIERS,
  type Tier,
  termsSchema,
  tiersSchema,
  zonesSchema,
} from '@helixmesh/protocol/sealing';
import { type Command, InvalidArgumentError } from 'commander';

export interface TermsOptions {
  readonly pipelines?: readonly string[];
  readonly zones?: readonly string[];
  readonly commercial?: boolean;
}

export interface PurposeOptions {
  readonly pipeline: string;
  readonly zone?: string;
  readonly commercial?: boolean;
}

/** A zone of nobody (ISO 3166 leaves the code to users): for those who do not say where they are. */
const ZONE_UNKNOWN = 'ZZ';
/** As far as the formats count. */
const CONTIG_BASES_MAX = 2 ** 31;

export function withTermsOptions(command: Command): Command {
  return command
    .option('--pipelines <names>', 'only these pipelines, by commas (default: any)', parseNames)
    .option('--zones <zones>', 'only in these legal zones, e.g. EU,MX', parseZones)
    .option('--commercial', 'commercial use too');
}

export function withPurposeOptions(command: Command): Command {
  return command
    .option('--pipeline <name>', 'what the reading is for', 'read')
    .option('--zone <zone>', 'where you are, for terms that ask for it, e.g. EU')
    .option('--commercial', 'for commercial use');
}

export function termsOf({ pipelines, zones, commercial }: TermsOptions): Terms {
  return {
    pipelines: pipelines === undefined ? null : [...pipelines],
    zones: zones === undefined ? null : [...zones],
    commercialUse: commercial ?? false,
  };
}

/** What an owner reads for themselves: their own terms do not bind them. */
export const OWN_PURPOSE: Purpose = { pipeline: 'read', zone: ZONE_UNKNOWN, isCommercial: false };

export function purposeOf({ pipeline, zone, commercial }: PurposeOptions): Purpose {
  return { pipeline, zone: zone ?? ZONE_UNKNOWN, isCommercial: commercial ?? false };
}

/** What people are shown of terms. */
export function termsText({ pipelines, zones, commercialUse }: Terms): string {
  return [
    pipelines === null ? 'any pipeline' : `pipelines ${pipelines.join(', ')}`,
    zones === null ? 'anywhere' : `in ${zones.join(', ')}`,
    commercialUse ? 'commercial use' : 'no commercial use',
  ].join('; ');
}

/** `EU,MX` in order, each once. */
export function parseZones(text: string): readonly string[] {
  const zones = sortedWords(text);
  if (zonesSchema.safeParse(zones).success) return zones;
  throw new InvalidArgumentError('Give zones by commas, e.g. EU,MX,US-CA.');
}

/** `germline,annotate` in order, each once. */
export function parseNames(text: string): readonly string[] {
  const names = sortedWords(text);
  if (termsSchema.shape.pipelines.safeParse(names).success) return names;
  throw new InvalidArgumentError('Give names of pipelines by commas, e.g. germline,read.');
}

/** `0x…,0x…` in small letters and in order, each once. */
export function parseAccounts(text: string): readonly string[] {
  const accounts = sortedWords(text.toLowerCase());
  if (operatorsSchema.safeParse(accounts).success) return accounts;
  throw new InvalidArgumentError('Give wallets by commas: 0x and 40 hex digits each.');
}

/** `gpu,ai` in order, each once. */
export function parseTiers(text: string): readonly Tier[] {
  const tiers = tiersSchema.safeParse(sortedWords(text)).data;
  if (tiers) return tiers;
  throw new InvalidArgumentError(`Give tiers by commas: ${TIERS.join(', ')}.`);
}

/** `0-1024`: 0-based, without the byte of the second number. */
export function parseBytes(text: string): Range {
  const [, start, end] = /^(\d{1,15})-(\d{1,15})$/.exec(text) ?? [];
  const range = { start: Number(start), end: Number(end) };
  if (range.start < range.end) return range;
  throw new InvalidArgumentError('Give two numbers, e.g. 0-1024 for the first 1024 bytes.');
}

/**
 * `chr7:1001-2000` as samtools takes it (1-based, both ends in) becomes 0-based half-open; a name
 * without a colon is the whole contig.
 */
export function parseRegion(text: string): Region {
  const number = (digits: string) => Number(digits.replaceAll(',', ''));
  const [, refName = text, start1 = '1', end1 = String(CONTIG_BASES_MAX)] =
    /^(.+):([\d,]+)-([\d,]+)$/.exec(text) ?? [];
  const isRegion = refName !== text || !text.includes(':');
  const region = regionSchema.safeParse({ refName, start: number(start1) - 1, end: number(end1) });
  if (isRegion && region.success) return region.data;
  throw new InvalidArgumentError('Give a region as chr7:1001-2000, or a whole contig as chr7.');
}

/** For options that may be given more than once. */
export function many<T>(parse: (text: string) => T): (text: string, before?: T[]) => T[] {
  return (text, before = []) => [...before, parse(text)];
}

function sortedWords(text: string): string[] {
  return [...new Set(text.split(',').map((word) => word.trim()))].sort();
}

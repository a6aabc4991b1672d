/** Identifiers of the network's parties, each with its pattern and one parsing constructor. */
import { type Digest, NODE_ID_PATTERN, type NodeId } from '@helixmesh/protocol';
import { z } from 'zod';

declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** Who answers for a node: the address of a wallet, `0x` and 40 lower-case hex digits. */
export type OperatorId = Brand<string, 'OperatorId'>;
/** A registered dataset. */
export type DatasetId = Brand<string, 'DatasetId'>;

export const OPERATOR_ID_PATTERN = /^0x[0-9a-f]{40}$/;
export const DATASET_ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
/** Names of tools, services and pipelines, and versions of tools. */
export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._+@-]{0,63}$/;

export const nodeIdSchema = z.string().regex(NODE_ID_PATTERN).transform(asNodeId);
export const operatorIdSchema = z.string().regex(OPERATOR_ID_PATTERN).transform(asOperatorId);
export const datasetIdSchema = z.string().regex(DATASET_ID_PATTERN).transform(asDatasetId);
export const nameSchema = z.string().regex(NAME_PATTERN);

function asNodeId(text: string): NodeId {
  return text as NodeId;
}

function asOperatorId(text: string): OperatorId {
  return text as OperatorId;
}

function asDatasetId(text: string): DatasetId {
  return text as DatasetId;
}

/** Digits of a digest that name a reference: chance gives two bundles of a network the same never. */
const REFERENCE_DIGITS = 16;

/** The service of a node that has a reference bundle, by the digest of its content. */
export function referenceService(digest: Digest): string {
  const start = 'sha256:'.length;
  return `reference.${digest.slice(start, start + REFERENCE_DIGITS)}`;
}

/** Order of ids: by UTF-16 code unit, the same on every machine and in every locale. */
export function compareIds(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

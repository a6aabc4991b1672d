/** Identifiers of the network's parties, each with its pattern and one parsing constructor. */
import { AppError } from '@helixmesh/protocol';
import { z } from 'zod';

declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** A node: `node_` and its Ed25519 public key as 64 lower-case hex digits. */
export type NodeId = Brand<string, 'NodeId'>;
/** Who answers for a node: the address of a wallet, `0x` and 40 lower-case hex digits. */
export type OperatorId = Brand<string, 'OperatorId'>;
/** A registered dataset. */
export type DatasetId = Brand<string, 'DatasetId'>;

export const NODE_ID_PATTERN = /^node_[0-9a-f]{64}$/;
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

/** The text as a node id. Throws USAGE. */
export function parseNodeId(text: string): NodeId {
  if (NODE_ID_PATTERN.test(text)) return asNodeId(text);
  throw new AppError('USAGE', `not a node id: ${JSON.stringify(text.slice(0, 100))}`, {
    hint: 'Node ids are node_ and 64 hex digits.',
  });
}

/** Order of ids: by UTF-16 code unit, the same on every machine and in every locale. */
export function compareIds(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** `@helixmesh/protocol/bionfs`: messages and service of BioNFS, generated from `proto/`. */
export * from './gen/helixmesh/bionfs/v1/bionfs_pb.ts';

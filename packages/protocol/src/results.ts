/** `@helixmesh/protocol/results`: messages and service of results, generated from `proto/`. */
export * from './gen/helixmesh/results/v1/results_pb.ts';

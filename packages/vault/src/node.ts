/** `@helixmesh/vault/node`: the adapters to the file system. */
export * from './adapters/fs-blockstore.ts';

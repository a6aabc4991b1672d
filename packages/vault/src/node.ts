/** `@helixmesh/vault/node`: the adapters to the file system. */
export * from './adapters/fs-blockstore.ts';
export * from './adapters/fs-head-store.ts';
export * from './adapters/fs-partial-store.ts';
export * from './adapters/fs-record-store.ts';

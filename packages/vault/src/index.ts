export * from './blocks/blockstore.ts';
export * from './blocks/cid.ts';
export * from './blocks/memory-blockstore.ts';
export * from './limits.ts';

export * from './canonical-json.ts';
export * from './errors.ts';
export * from './ids.ts';
export * from './jobs.ts';
export * from './routes.ts';

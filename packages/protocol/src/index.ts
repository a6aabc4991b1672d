export * from './canonical-json.ts';
export * from './errors.ts';
export * from './ids.ts';
export * from './jobs.ts';
export { lengthPrefixed } from './length-prefix.ts';
export { JOB_WAIT_MAX_MS } from './limits.ts';
export * from './routes.ts';
export * from './stages.ts';

export * from './germline/input.ts';
export * from './task/spec.ts';
export * from './workflow/port.ts';

export * from './core-budget.ts';
export * from './supervisor.ts';

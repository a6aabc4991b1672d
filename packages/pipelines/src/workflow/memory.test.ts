import { createMemoryEngine } from './memory.ts';
import { workflowCompliance } from './testing/workflow-compliance.ts';

workflowCompliance('the in-memory engine', async (effects) => createMemoryEngine(effects));

import { workflowCompliance } from '@helixmesh/pipelines/testing/workflow-compliance';
import { restateEngine } from './testing/compliance-engine.ts';

// Restate holds a job whose pipeline asks in another order until the old code is back.
workflowCompliance('Restate', restateEngine, { failsOnChangedOrder: false });

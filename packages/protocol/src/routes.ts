/** The route table: the one hand-written HTTP contract. Server, client and docs derive from it. */
import { z } from 'zod';
import { JOB_ID_PATTERN } from './ids.ts';
import {
  healthSchema,
  jobListItemSchema,
  jobViewSchema,
  journalRowSchema,
  submissionSchema,
  taskLogSchema,
} from './jobs.ts';
import { JOB_WAIT_MAX_MS } from './limits.ts';

const jobParams = z.strictObject({ jobId: z.string().regex(JOB_ID_PATTERN) });
const none = z.strictObject({});

export const ROUTES = {
  getHealth: {
    method: 'GET',
    path: '/health',
    params: none,
    query: none,
    body: null,
    reply: healthSchema,
  },
  submitJob: {
    method: 'POST',
    path: '/api/v1/jobs',
    params: none,
    query: none,
    body: submissionSchema,
    reply: jobViewSchema,
  },
  listJobs: {
    method: 'GET',
    path: '/api/v1/jobs',
    params: none,
    query: z.strictObject({ sampleId: z.string().optional() }),
    body: null,
    reply: z.array(jobListItemSchema),
  },
  getJob: {
    method: 'GET',
    path: '/api/v1/jobs/:jobId',
    params: jobParams,
    /** Answers when the job ends or pauses, and after this time at the latest. */
    query: z.strictObject({
      waitMs: z.coerce.number().int().min(0).max(JOB_WAIT_MAX_MS).default(0),
    }),
    body: null,
    reply: jobViewSchema,
  },
  getJournal: {
    method: 'GET',
    path: '/api/v1/jobs/:jobId/journal',
    params: jobParams,
    query: z.strictObject({ after: z.coerce.number().int().min(0).default(0) }),
    body: null,
    reply: z.array(journalRowSchema),
  },
  getLogs: {
    method: 'GET',
    path: '/api/v1/jobs/:jobId/logs',
    params: jobParams,
    query: z.strictObject({ task: z.string().optional() }),
    body: null,
    reply: z.array(taskLogSchema),
  },
  cancelJob: {
    method: 'POST',
    path: '/api/v1/jobs/:jobId/cancel',
    params: jobParams,
    query: none,
    body: null,
    reply: jobViewSchema,
  },
  resumeJob: {
    method: 'POST',
    path: '/api/v1/jobs/:jobId/resume',
    params: jobParams,
    query: none,
    body: null,
    reply: jobViewSchema,
  },
} as const;

export type Routes = typeof ROUTES;
export type RouteName = keyof Routes;

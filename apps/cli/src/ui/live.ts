/**
 * Live progress on standard error: a few repainted lines on a terminal, else one line for each
 * event. Nothing of it reaches standard output.
 */
import { JOB_WAIT_MAX_MS, type JobView, type TaskView } from '@helixmesh/protocol';
import { duration, percent } from './format.ts';

export interface Live {
  /** Between two looks at a job that goes on, ms. */
  readonly lookMs: number;
  /** Shows the present state of the jobs. */
  update(jobs: readonly JobView[]): void;
  /** Leaves the last state standing. */
  done(): void;
}

const BAR_WIDTH = 24;
const POOLS = [
  ['qc', 'quality'],
  ['align', 'alignment'],
  ['call', 'variants'],
  ['annotate', 'annotation'],
  ['report', 'report'],
] as const;

export function createLive(quiet: boolean): Live {
  if (quiet) return { lookMs: JOB_WAIT_MAX_MS, update: () => undefined, done: () => undefined };
  return process.stderr.isTTY ? createPainter() : createLog();
}

function createPainter(): Live {
  let painted = 0;
  return {
    lookMs: 200,
    update(jobs) {
      const lines = jobs.flatMap((job) => jobLines(job, Date.now()));
      const columns = process.stderr.columns || 80;
      const text = lines.map((line) => `${line.slice(0, columns - 1)}\u001b[K\n`).join('');
      process.stderr.write(`${painted > 0 ? `\u001b[${painted}A` : ''}${text}\u001b[J`);
      painted = lines.length;
    },
    done() {
      painted = 0;
    },
  };
}

function jobLines(job: JobView, nowMs: number): string[] {
  const took = job.startedAtMs === null ? 0 : (job.endedAtMs ?? nowMs) - job.startedAtMs;
  const recovered = job.recovered ? ' (recovered)' : '';
  const head = `${job.sampleId}  ${job.state}${recovered}  ${percent(job.progress)}  ${duration(took)}`;
  return [head, ...POOLS.map(([pool, title]) => poolLine(job, { pool, title }))];
}

function poolLine(job: JobView, { pool, title }: { pool: string; title: string }): string {
  const tasks = job.tasks.filter((task) => task.pool === pool);
  const done = tasks.filter((task) => task.state === 'COMPLETE').length;
  const total = pool === 'call' ? (job.contigs?.total ?? 0) : Math.max(1, tasks.length);
  const reached = tasks.reduce((sum, task) => sum + (task.progress ?? 0), 0);
  const fraction = total === 0 ? 0 : Math.min(1, reached / total);
  const filled = Math.round(fraction * BAR_WIDTH);
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
  return `  ${title.padEnd(10)} ${bar} ${noteOf(job, { pool, done })}`;
}

function noteOf(job: JobView, { pool, done }: { pool: string; done: number }): string {
  const tasks = job.tasks.filter((task) => task.pool === pool);
  const running = tasks.filter((task) => task.state === 'RUNNING').map(runningText);
  const reused = tasks.filter((task) => task.reused).length;
  const count =
    pool === 'call' && job.contigs !== null ? `${done}/${job.contigs.total} contigs  ` : '';
  const kept = reused > 0 ? `${reused} reused  ` : '';
  return `${count}${kept}${running.join(' ')}`.trimEnd();
}

/** `align 57 %`. */
function runningText({ name, progress }: TaskView): string {
  return progress === null ? shortName(name) : `${shortName(name)} ${percent(progress)}`;
}

function shortName(name: string): string {
  return name.startsWith('call.') ? name.slice('call.'.length) : name;
}

/** One line for each step that starts, ends or waits. */
function createLog(): Live {
  const seen = new Set<string>();
  const say = (line: string) => {
    if (seen.has(line)) return;
    seen.add(line);
    process.stderr.write(`${line}\n`);
  };
  return {
    lookMs: 500,
    update(jobs) {
      for (const job of jobs) {
        for (const task of job.tasks) {
          if (task.state === 'COMPLETE') {
            say(`${job.sampleId}  ${task.name}  ${task.reused ? 'reused' : 'done'}`);
          }
        }
        if (job.state === 'PAUSED') say(`${job.sampleId}  PAUSED  ${job.reason?.message ?? ''}`);
      }
    },
    done: () => undefined,
  };
}

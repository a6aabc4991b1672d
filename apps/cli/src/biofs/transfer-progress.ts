/** Progress of bytes on standard error: share, rate and the time that is left. */
import { bytes, duration, percent } from '../ui/format.ts';

export interface TransferProgress {
  /** `done` of the bytes are through; those that were there before count as done, not as rate. */
  update(done: number): void;
  /** Ends the line. */
  done(): void;
}

export interface TransferOptions {
  /** What is going on: `reads.vcf  sealing`. */
  readonly label: string;
  readonly totalBytes: number;
  readonly quiet: boolean;
}

/** Repaints at most so often, ms. */
const PAINT_EVERY_MS = 100;
/** Where there is no terminal, a line for each of these shares. */
const LOG_SHARE = 0.25;

export function createTransfer(options: TransferOptions): TransferProgress {
  if (options.quiet) return { update: () => undefined, done: () => undefined };
  return process.stderr.isTTY ? createPainter(options) : createLog(options);
}

/** `12.0 MiB of 40.0 MiB  30 %  5.1 MiB/s  6 s left`. */
export function transferText(done: number, total: number, passed: TransferRate): string {
  const amount = `${bytes(done)} of ${bytes(total)}  ${percent(total === 0 ? 1 : done / total)}`;
  if (passed.ms <= 0 || passed.bytes <= 0) return amount;
  const bytesPerMs = passed.bytes / passed.ms;
  const rate = `${bytes(Math.round(bytesPerMs * 1_000))}/s`;
  const left = (total - done) / bytesPerMs;
  return `${amount}  ${rate}${done < total ? `  ${duration(left)} left` : ''}`;
}

export interface TransferRate {
  readonly bytes: number;
  readonly ms: number;
}

/** Bytes and time since the first update, which tells what was there before. */
function makeRate() {
  let first: { readonly done: number; readonly atMs: number } | undefined;
  return (done: number): TransferRate => {
    const atMs = performance.now();
    first ??= { done, atMs };
    return { bytes: done - first.done, ms: atMs - first.atMs };
  };
}

function createPainter({ label, totalBytes }: TransferOptions): TransferProgress {
  const rateOf = makeRate();
  let paintedMs = 0;
  let last = 0;
  const paint = () => {
    const line = `${label}  ${transferText(last, totalBytes, rateOf(last))}`;
    process.stderr.write(`\r${line.slice(0, (process.stderr.columns || 80) - 1)}\u001b[K`);
  };
  return {
    update(done) {
      last = done;
      if (performance.now() - paintedMs < PAINT_EVERY_MS) return;
      paintedMs = performance.now();
      paint();
    },
    done() {
      paint();
      process.stderr.write('\n');
    },
  };
}

function createLog({ label, totalBytes }: TransferOptions): TransferProgress {
  const rateOf = makeRate();
  let next = LOG_SHARE;
  return {
    update(done) {
      const rate = rateOf(done);
      const share = totalBytes === 0 ? 1 : done / totalBytes;
      if (share < next) return;
      next = (Math.floor(share / LOG_SHARE) + 1) * LOG_SHARE;
      process.stderr.write(`${label}  ${transferText(done, totalBytes, rate)}\n`);
    },
    done: () => undefined,
  };
}

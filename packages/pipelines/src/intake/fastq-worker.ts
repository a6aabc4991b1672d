/** Worker thread of fastq-thread.ts: answers each message with the next piece of its file. */
import { parentPort, workerData } from 'node:worker_threads';
import { AppError } from '@helixmesh/protocol';
import { FastqInput } from './fastq-input.ts';
import type { FastqJob, FastqReply, SummaryReply } from './fastq-thread.ts';

const { path, label } = workerData as FastqJob;
let input: FastqInput | null = null;
let last: Promise<void> = Promise.resolve();
let isDone = false;

async function answer(): Promise<void> {
  // Asked ahead, it is asked further after the end.
  if (isDone) return;
  try {
    input ??= await FastqInput.open(path, label);
    const names = await input.next();
    isDone = names === null;
    const { reads, readBytes } = input;
    if (names === null) reply({ kind: 'end', reads, readBytes, outcome: summarize(input) });
    else {
      // The scanner keeps its own memory, and what is passed must be no larger than the names.
      const passed = new Uint8Array(names);
      reply({ kind: 'piece', names: passed, reads, readBytes }, [passed.buffer]);
    }
  } catch (thrown) {
    isDone = true;
    reply({ kind: 'failed', error: AppError.from(thrown).toRecord() });
  }
}

function summarize(ended: FastqInput): SummaryReply {
  try {
    return { summary: ended.summary() };
  } catch (thrown) {
    return { error: AppError.from(thrown).toRecord() };
  }
}

function reply(message: FastqReply, transfer: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

parentPort?.on('message', () => {
  last = last.then(answer);
});

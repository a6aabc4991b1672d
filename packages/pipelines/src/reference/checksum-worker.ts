/** Worker thread of checksum.ts: hashes the file named by its `workerData` and posts the digest. */
import { parentPort, workerData } from 'node:worker_threads';
import { checksumFile } from './checksum.ts';

parentPort?.postMessage(await checksumFile(workerData as string));

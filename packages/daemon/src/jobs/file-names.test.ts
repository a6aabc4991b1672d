import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileRef } from '@helixmesh/pipelines';
import type { Digest, ErrorCode } from '@helixmesh/protocol';
import { withFileNames } from './file-names.ts';

function file(location: string): FileRef {
  const digest = `sha256:${'0'.repeat(64)}` as Digest;
  return { name: location.slice(location.lastIndexOf('/') + 1), digest, sizeBytes: 1, location };
}

const PAIR = { r1: file('/in/Doe_1.fq.gz'), r2: file('/in/Doe_2.fq.gz') };

function shown(message: string, reads: Parameters<typeof withFileNames>[1] = PAIR): string {
  return withFileNames({ code: 'INPUT_MALFORMED', message }, reads).message;
}

test('the message names the files of the user', () => {
  assert.equal(shown('record 7 of R1 has no base'), 'record 7 of Doe_1.fq.gz has no base');
  assert.equal(
    shown('R1 has 5 reads and R2 has 4'),
    'Doe_1.fq.gz has 5 reads and Doe_2.fq.gz has 4',
  );
});

test('files of the same name are told apart by their paths', () => {
  const reads = { r1: file('/a/reads.fq'), r2: file('/b/reads.fq') };
  assert.equal(shown('R2 has no reads', reads), '/b/reads.fq has no reads');
});

test('a name is put in as it is, whatever signs it holds', () => {
  const reads = { r1: file('/in/$&R2$1.fq'), r2: null };
  assert.equal(shown('R1 and R2', reads), '$&R2$1.fq and R2');
});

test('only failures of the reads are changed, and neither their hint nor details', () => {
  const record = {
    code: 'MATES_UNEQUAL' as const,
    message: 'R1 and R2 are the same file',
    hint: 'Give the file of first mates as R1.',
    details: { record: 3 },
  };
  const { hint, details } = withFileNames(record, PAIR);
  assert.deepEqual({ hint, details }, { hint: record.hint, details: record.details });
  const codes: readonly ErrorCode[] = ['TOOL_FAILED', 'INTERNAL', 'DISK_FULL'];
  for (const code of codes) {
    assert.equal(withFileNames({ code, message: 'R1' }, PAIR).message, 'R1');
  }
});

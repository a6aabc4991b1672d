/** A stage whose inputs others have made: who hands on something else is found, and asked no more. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { addReference, canonicalDigest, simulate } from '@helixmesh/pipelines';
import { AppError, type AttemptId, type TaskId } from '@helixmesh/protocol';
import { utf8 } from '@helixmesh/protocol/sealing';
import { pino } from 'pino';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { analyseStage, type StageStep } from './analyse-stage.ts';
import { enclosureOf } from './attempt-folder.ts';
import type { HandoverRequest } from './handover.ts';
import type { HandedFile } from './handover-source.ts';
import { MemoryWorkSource } from './testing/memory-work-source.ts';

const SIZE = { contigs: 1, basesPerContig: 20_000, coverage: 2, mitochondrion: false } as const;
const CUSTODIAN = `node_${'0'.repeat(64)}@127.0.0.1:1`;
const HONEST = `att_${'1'.repeat(16)}` as AttemptId;
const [LIAR, GARBLER] = [`att_${'2'.repeat(16)}`, `att_${'3'.repeat(16)}`] as AttemptId[];

const root = temporaryFolder('analyse-stage');
const referenceRoot = join(root, 'references');

test('who hands on something else is found, and the stage done again without them', async () => {
  const input = join(root, 'input');
  await simulate({ outDir: input, sampleId: 'S1', seed: 3, ...SIZE });
  const reference = { name: 'ref', fasta: join(input, 'ref.fa') };
  await addReference(reference, { storeDir: referenceRoot });
  const path = join(root, 'stated.json');
  await writeFile(path, '{"a":1}');
  const { digest } = await canonicalDigest(path, 'json');
  const fileOf = (attemptId: AttemptId | undefined, name: string, text: string): HandedFile => ({
    ...{ task: 'align', path: name, digest, sizeBytes: text.length, format: 'json' },
    attemptId: attemptId ?? assert.fail(),
    open: async function* () {
      yield utf8(text);
    },
  });
  const files = [
    fileOf(HONEST, 'intake.json', ' { "a": 1 } '),
    fileOf(LIAR, 'decision.json', '{"a":2}'),
    fileOf(GARBLER, 'qc.json', 'no JSON'),
  ];
  const folder = join(root, 'attempt');
  mkdirSync(folder);
  const asked: (readonly AttemptId[])[] = [];
  const openHandover = async ({ left }: HandoverRequest) => {
    asked.push([...left]);
    assert.ok(!existsSync(enclosureOf(folder)), 'what was looked at is gone');
    if (asked.length > 1) throw new AppError('KEY_NOT_HELD', 'enough');
    return { files, recipient: new Uint8Array(32) };
  };
  const step: StageStep = {
    folder,
    assignment: {
      ...{ attemptId: `att_${'9'.repeat(16)}` as AttemptId, fencingToken: 1, job: '' },
      taskId: `task_${'0'.repeat(32)}` as TaskId,
      stage: { kind: 'call', part: { index: 1, count: 2 } },
      ...{ reads: [], custodian: CUSTODIAN, recipients: [] },
      analysis: {
        pipeline: 'germline',
        reference: 'ref',
        parameters: { aligner: 'bwa', caller: 'auto', sex: 'infer', shardTargetBases: 20_000_000 },
      },
    },
    signal: new AbortController().signal,
  };
  const done = analyseStage(
    {
      work: new MemoryWorkSource(),
      openReads: async () => [],
      openHandover,
      node: { referenceRoot, config: { cores: 1, limitsFactor: 1 } },
      logger: pino({ level: 'silent' }),
    },
    step,
  );
  await assert.rejects(done, { code: 'KEY_NOT_HELD' });
  assert.deepEqual(asked, [[], [LIAR, GARBLER]]);
});

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { GPUS_MAX, hardwareSchema, heartbeatSchema, VRAM_MAX_BYTES } from '@helixmesh/scheduler';
import fc from 'fast-check';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { parseGpus, probeGpus } from './gpus.ts';
import { measureFree, measureHardware } from './hardware.ts';

const MIB = 2 ** 20;
const folder = temporaryFolder('hardware');

test('the profile of this machine is one that the network takes', async () => {
  const hardware = await measureHardware({ cores: 2, dataDir: folder });
  assert.deepEqual(hardwareSchema.parse(hardware), hardware);
  assert.equal(hardware.cores, 2);
  assert.ok(hardware.memoryBytes > 64 * MIB);
  assert.ok(hardware.diskBytes > 64 * MIB);
  assert.ok(Object.hasOwn(hardware.tools, 'helixmesh'));
});

test('what is free is never more than what there is, and cores that are held are not free', async () => {
  const options = { cores: 2, dataDir: folder };
  const hardware = await measureHardware(options);
  const free = await measureFree(options, 1);
  const { shape } = heartbeatSchema;
  assert.equal(free.freeCores, 1);
  assert.equal(shape.freeMemoryBytes.parse(free.freeMemoryBytes), free.freeMemoryBytes);
  assert.ok(free.freeMemoryBytes <= hardware.memoryBytes);
  assert.ok(free.freeDiskBytes <= hardware.diskBytes);
  assert.equal(free.gpus.length, hardware.gpus.length);
  assert.equal((await measureFree(options, 9)).freeCores, 0);
});

test('GPUs come in the order of nvidia-smi, with sizes in bytes', () => {
  const csv = '143771, 143161, 0, NVIDIA H200\n81920, 1024, 97, NVIDIA A100-SXM4-80GB, rev 1\n';
  assert.deepEqual(parseGpus(csv), [
    {
      model: 'NVIDIA H200',
      vramBytes: 143_771 * MIB,
      freeVramBytes: 143_161 * MIB,
      utilizationPercent: 0,
    },
    {
      model: 'NVIDIA A100-SXM4-80GB, rev 1',
      vramBytes: 81_920 * MIB,
      freeVramBytes: 1_024 * MIB,
      utilizationPercent: 97,
    },
  ]);
});

test('a GPU that tells no memory is left out, one that tells no load is idle', () => {
  assert.deepEqual(parseGpus('[N/A], [N/A], 3, NVIDIA GB10\n'), []);
  assert.equal(parseGpus('40960, 40000, [N/A], NVIDIA A100\n')[0]?.utilizationPercent, 0);
  assert.deepEqual(parseGpus('NVIDIA-SMI has failed\nNo devices were found\n\n'), []);
});

test('no output breaks a bound of the network', () => {
  const field = fc.oneof(fc.nat().map(String), fc.string(), fc.constant('999999999'));
  const row = fc.tuple(field, field, field, fc.string()).map((fields) => fields.join(', '));
  fc.assert(
    fc.property(fc.array(row, { maxLength: 2 * GPUS_MAX }), (rows) => {
      const gpus = parseGpus(rows.join('\n'));
      assert.ok(gpus.length <= GPUS_MAX);
      for (const { model, vramBytes, freeVramBytes, utilizationPercent } of gpus) {
        assert.match(model, /^[\x20-\x7e]{1,100}$/);
        assert.ok(vramBytes >= 1 && vramBytes <= VRAM_MAX_BYTES && freeVramBytes <= vramBytes);
        assert.ok(utilizationPercent >= 0 && utilizationPercent <= 100);
      }
    }),
  );
});

test('nvidia-smi is asked where there is one; one that fails tells of no GPU', async () => {
  const here = join(folder, 'bin');
  mkdirSync(here);
  const program = join(here, 'nvidia-smi');
  const says = (script: string) => {
    writeFileSync(program, `#!/bin/sh\n${script}\n`);
    chmodSync(program, 0o755);
    return probeGpus({ PATH: here });
  };
  assert.deepEqual(await probeGpus({ PATH: here }), []);
  const [gpu] = await says('echo "143771, 143161, 12, NVIDIA H200"');
  assert.equal(gpu?.model, 'NVIDIA H200');
  assert.deepEqual(await says('echo "143771, 1, 1, NVIDIA H200"; exit 9'), []);
});

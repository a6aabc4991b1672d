/** Examples for the help of `biofs`; test/network runs the same commands against real nodes. */
import { type Example, examplesOf as of } from '../examples.ts';

const VAULT = 'node_2f8c…@vault.example.org:7401';

export const BIOFS_EXAMPLES: readonly Example[] = [
  ...of('login', [
    'biofs login --key-file wallet.key --genesis network.json',
    'biofs login --key-file UTC--keystore.json --passphrase-file passphrase',
  ]),
  ...of('logout', ['biofs logout']),
  ...of('keys backup', ['biofs keys backup keys.backup --passphrase-file passphrase']),
  ...of('keys restore', ['biofs keys restore keys.backup --passphrase-file passphrase']),
  ...of('put', [
    `biofs put reads.vcf --vault ${VAULT}`,
    `biofs put results/ --vault ${VAULT}`,
    `biofs put sample.bam --vault ${VAULT} --residency EU --region-grants --pipelines germline`,
  ]),
  ...of('ls', ['biofs ls', 'biofs ls --json']),
  ...of('stat', ['biofs stat 5c1d3f0a92b4']),
  ...of('cat', ['biofs cat 5c1d3f0a92b4', 'biofs cat 5c1d3f0a92b4 --region chr7:1-200000']),
  ...of('download', ['biofs download 5c1d3f0a92b4 --out reads.vcf --connections 8']),
  ...of('replicas', ['biofs replicas 5c1d3f0a92b4']),
  ...of('replicate', [`biofs replicate 5c1d3f0a92b4 --vault ${VAULT}`]),
  ...of('rm', ['biofs rm 5c1d3f0a92b4 --shred']),
  ...of('grant', [
    'biofs grant 5c1d3f0a92b4 --to 0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266 --until 2027-01-31 ' +
      '--out b.grant',
    'biofs grant 5c1d3f0a92b4 --to 0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266 ' +
      '--region chr7:1-200000 --out b.grant',
  ]),
  ...of('grants', ['biofs grants', 'biofs grants 5c1d3f0a92b4']),
  ...of('revoke', ['biofs revoke 90ab12cd34ef']),
  ...of('accept', ['biofs accept b.grant']),
  ...of('policy', [
    'biofs policy',
    'biofs policy --zones EU,MX --commercial no --operators-max 3',
    'biofs policy --operators 0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266 --tiers gpu,ai',
    'biofs policy --pause',
  ]),
  ...of('analyze', [
    'biofs analyze 5c1d3f0a92b4 77aa01c2d3e4 --reference GRCh38 --max-price 0.50',
    'biofs analyze 5c1d3f0a92b4 77aa01c2d3e4 --reference GRCh38 --redundancy 3 --max-price 2 ' +
      '--zones MX,US --wait',
  ]),
  ...of('jobs', ['biofs jobs']),
  ...of('status', ['biofs status 90ab12cd34ef', 'biofs status 90ab12cd34ef --wait']),
  ...of('logs', ['biofs logs 90ab12cd34ef -f']),
  ...of('cancel', ['biofs cancel 90ab12cd34ef']),
  ...of('result', [
    'biofs result 90ab12cd34ef --out result',
    'biofs result 90ab12cd34ef --out result --reads R1.fastq.gz R2.fastq.gz',
  ]),
  ...of('verify', ['biofs verify result', 'biofs verify result --json']),
  ...of('access-log', ['biofs access-log', 'biofs access-log 5c1d3f0a92b4 --limit 10']),
];

/**
 * A Workflow Run RO-Crate (profile Provenance Run Crate 0.5 over RO-Crate 1.1): what went in, which
 * step ran which command with which tool, and what came out. Pure; the caller writes the file.
 *
 * https://www.researchobject.org/workflow-run-crate/profiles/provenance_run_crate/
 * The crate names the sample and lies beside the results; it is as confidential as they are.
 */
import type { Json } from '@helixmesh/protocol';
import { IMPORT_FOLDER } from '../task/import-files.ts';
import type { Command, OutputRecord, TaskSpec } from '../task/spec.ts';
import type { OutputRef } from '../workflow/port.ts';

export interface CrateInput {
  readonly jobId: string;
  readonly jobHash: string;
  readonly sampleId: string;
  readonly workflow: string;
  readonly helixmeshVersion: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly tasks: readonly CrateTask[];
  /** Hex sha256 of the user's read files as they lie on disk, by location. */
  readonly readsSha256: Readonly<Record<string, string>>;
  readonly deliverables: readonly CrateDeliverable[];
}

export interface CrateTask {
  readonly name: string;
  readonly key: string;
  readonly spec: TaskSpec;
  readonly outputs: Readonly<Record<string, OutputRecord>>;
  readonly reused: boolean;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
}

export interface CrateDeliverable {
  readonly path: string;
  readonly description: string;
  readonly sizeBytes: number;
  /** Hex, of the delivered bytes. */
  readonly sha256: string;
  readonly source: OutputRef | null;
}

type Entity = {
  readonly '@id': string;
  readonly '@type': string | readonly string[];
  readonly [key: string]: Json;
};

const PROFILE_ROOT = 'https://w3id.org/ro/wfrun';
const PROFILES = ['process/0.5', 'workflow/0.5', 'provenance/0.5'].map(
  (p) => `${PROFILE_ROOT}/${p}`,
);

/** The content of `ro-crate-metadata.json`. */
export function buildCrate(input: CrateInput): Json {
  const delivered = new Map(
    input.deliverables.flatMap((file) =>
      file.source === null
        ? []
        : [[`${file.source.task}/${file.source.output}`, file.path] as const],
    ),
  );
  const context: Context = { input, delivered, files: new Map() };
  const actions = input.tasks.map((task) => taskAction(context, task));
  const used = input.tasks.flatMap((task) => Object.entries(task.spec.toolVersions));
  const tools = new Map(
    used.map(([tool, version]) => [toolId(tool, version), toolEntity(tool, version)]),
  );
  return {
    '@context': [
      'https://w3id.org/ro/crate/1.1/context',
      'https://w3id.org/ro/terms/workflow-run/context',
    ],
    '@graph': [
      descriptor(),
      root(input, [...context.files.keys()]),
      ...PROFILES.map((id) => ({
        '@id': id,
        '@type': 'CreativeWork',
        name: id.slice(PROFILE_ROOT.length + 1),
      })),
      workflowEntity(input, [...tools.keys()]),
      engine(input),
      ...tools.values(),
      runAction(input, context),
      organizeAction(input),
      ...input.tasks.flatMap(controlEntities),
      ...actions,
      ...context.files.values(),
    ],
  };
}

interface Context {
  readonly input: CrateInput;
  /** `taskKey/output` → path in the crate. */
  readonly delivered: ReadonlyMap<string, string>;
  readonly files: Map<string, Entity>;
}

function descriptor(): Entity {
  return {
    '@id': 'ro-crate-metadata.json',
    '@type': 'CreativeWork',
    about: { '@id': './' },
    conformsTo: [
      { '@id': 'https://w3id.org/ro/crate/1.1' },
      { '@id': 'https://w3id.org/workflowhub/workflow-ro-crate/1.0' },
    ],
  };
}

function root(input: CrateInput, files: readonly string[]): Entity {
  return {
    '@id': './',
    '@type': 'Dataset',
    name: `${input.workflow} run of sample ${input.sampleId}`,
    description: 'Germline small variants with their quality control, annotation and provenance.',
    datePublished: iso(input.endedAtMs),
    license: 'Confidential: personal genomic data of the sample.',
    identifier: input.jobHash,
    conformsTo: [...PROFILES, 'https://w3id.org/workflowhub/workflow-ro-crate/1.0'].map(ref),
    hasPart: files.filter((id) => !id.startsWith('#')).map(ref),
    mainEntity: ref(`#${input.workflow}`),
    mentions: [ref(`#${input.jobId}`)],
  };
}

function workflowEntity(input: CrateInput, tools: readonly string[]): Entity {
  return {
    '@id': `#${input.workflow}`,
    '@type': ['SoftwareSourceCode', 'ComputationalWorkflow', 'HowTo'],
    name: input.workflow,
    version: input.helixmeshVersion,
    programmingLanguage: ref('https://www.typescriptlang.org/'),
    hasPart: tools.map(ref),
    step: input.tasks.map((task) => ref(`#step/${task.name}`)),
  };
}

function engine(input: CrateInput): Entity {
  return {
    '@id': '#helixmesh',
    '@type': 'SoftwareApplication',
    name: 'Helixmesh',
    softwareVersion: input.helixmeshVersion,
  };
}

function toolId(tool: string, version: string): string {
  return `#tool/${tool}@${version}`;
}

function toolEntity(tool: string, version: string): Entity {
  return {
    '@id': toolId(tool, version),
    '@type': 'SoftwareApplication',
    name: tool,
    softwareVersion: version,
  };
}

function runAction(input: CrateInput, context: Context): Entity {
  const external = [...context.files.entries()].filter(
    ([, file]) => file['additionalType'] === 'input',
  );
  for (const file of input.deliverables) deliverableEntity(context, file);
  return {
    '@id': `#${input.jobId}`,
    '@type': 'CreateAction',
    name: `Run ${input.jobId}`,
    identifier: input.jobHash,
    instrument: ref(`#${input.workflow}`),
    startTime: iso(input.startedAtMs),
    endTime: iso(input.endedAtMs),
    actionStatus: 'http://schema.org/CompletedActionStatus',
    object: external.map(([id]) => ref(id)),
    result: input.deliverables.map((file) => ref(file.path)),
  };
}

function organizeAction(input: CrateInput): Entity {
  return {
    '@id': `#organize/${input.jobId}`,
    '@type': 'OrganizeAction',
    instrument: ref('#helixmesh'),
    object: input.tasks.map((task) => ref(`#control/${task.name}`)),
    result: ref(`#${input.jobId}`),
  };
}

/** The step of the workflow and the engine's execution of it. */
function controlEntities(task: CrateTask): Entity[] {
  const tools = Object.entries(task.spec.toolVersions);
  return [
    {
      '@id': `#step/${task.name}`,
      '@type': 'HowToStep',
      name: task.name,
      workExample: tools.map(([tool, version]) => ref(toolId(tool, version))),
    },
    {
      '@id': `#control/${task.name}`,
      '@type': 'ControlAction',
      instrument: ref(`#step/${task.name}`),
      object: ref(`#task/${task.name}`),
    },
  ];
}

function taskAction(context: Context, task: CrateTask): Entity {
  const tools = Object.entries(task.spec.toolVersions).map(([tool, version]) =>
    ref(toolId(tool, version)),
  );
  return {
    '@id': `#task/${task.name}`,
    '@type': 'CreateAction',
    name: task.name,
    identifier: task.key,
    description: task.spec.commands.map(commandText).join('\n'),
    instrument: tools,
    ...(task.startedAtMs === null ? {} : { startTime: iso(task.startedAtMs) }),
    ...(task.endedAtMs === null ? {} : { endTime: iso(task.endedAtMs) }),
    ...(task.reused
      ? { disambiguatingDescription: 'result of an earlier run with the same content key' }
      : {}),
    actionStatus: 'http://schema.org/CompletedActionStatus',
    object: task.spec.inputs.flatMap((i) =>
      i.kind === 'text' ? [] : [ref(inputEntity(context, i))],
    ),
    result: Object.entries(task.outputs).map(([name, record]) =>
      ref(outputEntity(context, { task, name, record })),
    ),
  };
}

/** The command as a person would type it; file names are relative to the task's folder. */
export function commandText(command: Command): string {
  if (command.kind === 'builtin')
    return `helixmesh builtin ${command.name} ${JSON.stringify(command.args)}`;
  const stages = command.stages.map(({ tool, args }) => [tool, ...args.map(quote)].join(' '));
  return stages.join(' | ') + (command.stdout === undefined ? '' : ` > ${quote(command.stdout)}`);
}

function quote(argument: string): string {
  return /^[\w@%+=:,./{}-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}

/** Reference files are identified by the sha256 of their bytes. */
function plainSha256(digest: string): string {
  return digest.slice('sha256:'.length);
}

type DataInput = Exclude<TaskSpec['inputs'][number], { readonly kind: 'text' }>;

function inputEntity(context: Context, input: DataInput): string {
  if (input.kind === 'output') {
    return (
      context.delivered.get(`${input.task}/${input.output}`) ??
      `#output/${input.task}/${input.output}`
    );
  }
  // Of a file that another node has made the canonical digest is known, which is not of its bytes.
  if (input.name.startsWith(`${IMPORT_FOLDER}/`)) return importedEntity(context, input);
  const sha256 = context.input.readsSha256[input.location] ?? plainSha256(input.digest);
  const id = `#input/${input.name}/${sha256}`;
  context.files.set(id, {
    '@id': id,
    '@type': 'File',
    additionalType: 'input',
    name: input.name,
    sha256,
  });
  return id;
}

function importedEntity({ files }: Context, { name, digest }: DataInput): string {
  const id = `#input/${name}/${plainSha256(digest)}`;
  files.set(id, { '@id': id, '@type': 'File', name, identifier: digest });
  return id;
}

function outputEntity(
  context: Context,
  { task, name, record }: { task: CrateTask; name: string; record: OutputRecord },
): string {
  const id = context.delivered.get(`${task.key}/${name}`) ?? `#output/${task.key}/${name}`;
  if (!context.files.has(id)) {
    context.files.set(id, {
      '@id': id,
      '@type': 'File',
      name,
      contentSize: String(record.sizeBytes),
      identifier: record.digest,
    });
  }
  return id;
}

function deliverableEntity(context: Context, file: CrateDeliverable): void {
  context.files.set(file.path, {
    ...context.files.get(file.path),
    '@id': file.path,
    '@type': 'File',
    description: file.description,
    contentSize: String(file.sizeBytes),
    sha256: file.sha256,
  });
}

function ref(id: string): { readonly '@id': string } {
  return { '@id': id };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** Grants: giving, revoking, listing and accepting them. */
import { open, readFile, rm, stat } from 'node:fs/promises';
import { AppError, type Digest } from '@helixmesh/protocol';
import {
  addressSchema,
  encodeDocument,
  formatNodeAddress,
  GRANT_TYPE,
  type Grant,
  INVITATION_TYPE,
  parseInvitation,
  type Range,
  type Region,
  signDocument,
  type Terms,
  toHex,
  verifyInvitation,
} from '@helixmesh/protocol/sealing';
import { type FoundDataset, findId, findOwn, shortId } from './find-dataset.ts';
import { INVITATION_BYTES_MAX } from './limits.ts';
import { signHead } from './log-in.ts';
import type { Person } from './person.ts';
import { OWN_PURPOSE, termsText } from './terms-options.ts';

export interface GiveOptions {
  readonly to: string;
  readonly terms: Terms;
  readonly untilMs: number | null;
  readonly regions: readonly Region[] | null;
  /** Bytes of the plaintext that the regions are; null: the index of the dataset says so. */
  readonly byteRanges: readonly Range[] | null;
  /** The index, where it is not found by its name. */
  readonly index: string | undefined;
  /** New file for the grantee. */
  readonly path: string;
  readonly passphraseFile: string | undefined;
}

export interface GivenView {
  readonly grant: Digest;
  readonly dataset: Digest;
  readonly grantee: string;
  readonly untilMs: number | null;
}

const NONCE_BYTES = 16;

/** Throws USAGE for a grant that could open nothing, CONFIG_INVALID without a custodian. */
export async function giveGrant(
  person: Person,
  text: string,
  options: GiveOptions,
): Promise<GivenView & { readonly path: string }> {
  const { crypto, network, custody, login } = person;
  const dataset = findOwn(custody, text);
  const custodian = custody.custodianOf(login.account);
  if (custodian === undefined) throw noCustodian();
  checkOptions(options, dataset.manifest.document.segmentsPerKey !== null);
  if (dataset.state !== 'stored') throw notStored(dataset.state);
  const byteRanges = await bytesOfGrant(person, { kind: 'own', dataset }, options);
  const wallet = await person.wallet(options.passphraseFile);
  const document: Grant = {
    type: GRANT_TYPE,
    network,
    owner: wallet.address,
    grantee: options.to,
    dataset: dataset.id,
    terms: options.terms,
    untilMs: options.untilMs,
    regions: options.regions === null ? null : [...options.regions],
    nonce: toHex(crypto.random(NONCE_BYTES)),
    issuedAtMs: Date.now(),
  };
  const grant = await signDocument(wallet, document);
  const invitation = {
    type: INVITATION_TYPE,
    grant,
    manifest: dataset.manifest,
    custodian,
    vaults: dataset.vaults.map(formatNodeAddress),
  };
  // Kept before it is handed over: what is not known here could not be revoked.
  const id = await writeNew(options.path, encodeDocument(invitation), () =>
    custody.addGrant({ grant, byteRanges }),
  );
  const { grantee, untilMs } = document;
  return { grant: id, dataset: dataset.id, grantee, untilMs, path: options.path };
}

/** Those that were given, or those that the index says; null for a grant of the whole dataset. */
async function bytesOfGrant(
  person: Person,
  found: FoundDataset,
  { regions, byteRanges, index }: GiveOptions,
): Promise<readonly Range[] | null> {
  if (regions === null || byteRanges !== null) return byteRanges;
  const { bytesOfRegions } = await import('./read-regions.ts');
  return bytesOfRegions(person, found, { regions, index, purpose: OWN_PURPOSE });
}

/** Revoking a grant again changes nothing. */
export async function revokeGrant(
  person: Person,
  text: string,
  passphraseFile: string | undefined,
): Promise<{ readonly grant: Digest; readonly head: number }> {
  const { custody, login } = person;
  const grant = findId(text, custody.listGrants(), 'grant');
  const known = custody.currentHead(login.account)?.signed.document;
  if (known?.revoked.includes(grant) === true) return { grant, head: known.number };
  const wallet = await person.wallet(passphraseFile);
  const head = await signHead(custody, wallet, person, [grant]);
  return { grant, head: head.number };
}

export interface GrantView extends GivenView {
  readonly shortId: string;
  readonly shortDataset: string;
  readonly state: 'holds' | 'ended' | 'revoked';
  readonly terms: Terms;
  readonly termsText: string;
  readonly regions: readonly Region[] | null;
}

export function listGrants({ custody, login }: Person, text: string | undefined): GrantView[] {
  const dataset = text === undefined ? undefined : findOwn(custody, text).id;
  const revoked = new Set(custody.currentHead(login.account)?.signed.document.revoked ?? []);
  return custody.listGrants(dataset).map(({ id, grant: { document } }) => {
    const { grantee, untilMs, terms, regions } = document;
    const isOver = untilMs !== null && untilMs <= Date.now();
    return {
      grant: id,
      shortId: shortId(id),
      dataset: document.dataset,
      shortDataset: shortId(document.dataset),
      grantee,
      untilMs,
      terms,
      termsText: termsText(terms),
      regions,
      state: revoked.has(id) ? 'revoked' : isOver ? 'ended' : 'holds',
    };
  });
}

/** Throws INPUT_MALFORMED for what its owner has not signed, CONFLICT when it is for somebody else. */
export async function acceptGrant(
  { crypto, network, custody, login }: Person,
  path: string,
): Promise<GivenView & { readonly owner: string }> {
  const invitation = parseInvitation(await readInvitation(path));
  const { document } = invitation.grant;
  if (document.grantee !== login.account) {
    throw new AppError('CONFLICT', `the grant is for ${document.grantee}`, {
      hint: 'Accept it in the data folder of that account.',
    });
  }
  const verdict = verifyInvitation(crypto, invitation, network);
  if (verdict.status === 'invalid') {
    const why = document.network === network ? verdict.reason : 'network';
    throw new AppError('INPUT_MALFORMED', `the grant is not valid: ${why}`, {
      hint: 'Ask its owner for the file again, in this network.',
    });
  }
  custody.addInvitation(invitation);
  const { grantee, untilMs, owner } = document;
  return { grant: verdict.grant, dataset: verdict.dataset, grantee, untilMs, owner };
}

/** The account, the parts, and which bytes they are. */
function checkOptions({ to, regions, byteRanges }: GiveOptions, hasRegionGrants: boolean): void {
  if (!addressSchema.safeParse(to).success) {
    throw new AppError('USAGE', `not an account: ${JSON.stringify(to.slice(0, 60))}`, {
      hint: 'Give the wallet of the grantee as 0x and 40 hex digits.',
    });
  }
  if (regions === null && byteRanges !== null) {
    throw new AppError('USAGE', 'a part needs --region', {
      hint: 'Say which region of the genome it is; --bytes is for files that have no index.',
    });
  }
  if (regions !== null && !hasRegionGrants) {
    throw new AppError('USAGE', 'parts of this dataset cannot be granted: one key opens all', {
      hint: 'Store the file with `biofs put --region-grants`, and grant parts of that.',
    });
  }
}

/** Does `before` when the new file is there and still empty; when that fails, no file is left. */
async function writeNew<T>(path: string, bytes: Uint8Array, before: () => T): Promise<T> {
  const file = await open(path, 'wx').catch((error) => {
    if (error.code !== 'EEXIST') throw AppError.from(error);
    throw new AppError('OUTPUT_IN_USE', `${path} is there already`, {
      hint: 'Give the name of a new file with --out.',
    });
  });
  try {
    const result = before();
    await file.writeFile(bytes);
    return result;
  } catch (error) {
    await rm(path, { force: true });
    throw AppError.from(error);
  } finally {
    await file.close();
  }
}

async function readInvitation(path: string): Promise<Uint8Array> {
  const facts = await stat(path).catch(() => undefined);
  if (facts?.isFile() === true && facts.size <= INVITATION_BYTES_MAX) return readFile(path);
  throw new AppError('INPUT_NOT_FOUND', `${path} is no file of a grant`, {
    hint: 'Name the file that the owner has written with `biofs grant --out`.',
  });
}

function noCustodian(): AppError {
  return new AppError('CONFIG_INVALID', 'nobody would release the keys: you have no custodian', {
    hint: 'Make one with `helixmesh init --role custodian`, and log in again.',
  });
}

function notStored(state: string): AppError {
  return new AppError('USAGE', `the dataset is ${state}: there is nothing to read yet`, {
    hint: 'Run the `biofs put` that was broken off again.',
  });
}

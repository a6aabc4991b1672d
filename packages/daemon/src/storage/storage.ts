/**
 * The storage role: a vault in a folder, served by BioNFS (docs/reference/bionfs.md).
 *
 *   <folder>/blocks, records, …   objects (`@helixmesh/vault/node`)
 *   <folder>/heads                owners: custodians and revocation heads
 *   <folder>/coming-in            bodies that broke off: which of their blocks are here
 *   <folder>/scrubbed-at          when the last scrub ended, ms since 1970
 */
import { join } from 'node:path';
import type { ServiceImpl } from '@connectrpc/connect';
import { AppError, type Digest } from '@helixmesh/protocol';
import { BioNfs } from '@helixmesh/protocol/bionfs';
import type { Crypto } from '@helixmesh/protocol/sealing';
import {
  type Catalogue,
  type Heads,
  openCatalogue,
  openHeads,
  type QuotaOf,
} from '@helixmesh/vault';
import {
  openFsBlockstore,
  openFsHeadStore,
  openFsPartialStore,
  openFsRecordStore,
} from '@helixmesh/vault/node';
import type { ServiceAccess } from '../network/grpc.ts';
import type { NodeIdentity } from '../network/identity.ts';
import type { NetworkListener } from '../network/listener.ts';
import type { Application } from '../node/application.ts';
import type { Logger } from '../node/logger.ts';
import { headCalls } from './heads.ts';
import type { IncomingOptions } from './incoming-body.ts';
import { DISK_RESERVE_BYTES } from './limits.ts';
import { listingCalls } from './listing.ts';
import type { PeersOptions } from './peers.ts';
import { type ReadingOptions, readingCalls } from './reading.ts';
import { repairFrom } from './repair.ts';
import { replicatingCalls } from './replicating.ts';
import { startUpkeep, type Upkeep, type UpkeepOptions } from './upkeep.ts';
import { writingCalls } from './writing.ts';

export interface StorageOptions {
  /** The vault's own; one process has it to itself. */
  readonly folder: string;
  readonly identity: NodeIdentity;
  /** What the operator has signed of where it is; for custodians who ask. Default: nothing. */
  readonly zoneStatement?: PeersOptions['zoneStatement'];
  /** Other times of collection and scrubbing than those of `limits.ts`. */
  readonly upkeep?: Pick<UpkeepOptions, 'everyMs' | 'scrubEveryMs'>;
  readonly network: Digest;
  /** Where it is (`EU`, `DE`, `US-CA`); undefined says nothing, and takes nothing with a residency. */
  readonly zone: string | undefined;
  /** What each owner may keep here; undefined for those who may not. */
  readonly quotaOf: QuotaOf;
  readonly crypto: Crypto;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly logger: Logger;
  readonly listener: Pick<NetworkListener, 'service' | 'callerOf'>;
  /** All roles of this node, as it tells them; default: storage. */
  readonly roles?: readonly string[];
  readonly incoming?: IncomingOptions;
  /** Told of every piece of an object that is sent. */
  readonly onSent?: ReadingOptions['onSent'];
  /** Other than that of the file system: for tests of slow and broken disks. */
  readonly openBlocks?: typeof openFsBlockstore;
}

const reader = { signedBy: 'account_or_node', scope: 'read' } as const;
const lister = { signedBy: 'account', scope: 'list' } as const;
const writer = { signedBy: 'account', scope: 'put' } as const;

const ACCESS: ServiceAccess<typeof BioNfs> = {
  discover: { signedBy: 'nobody', scope: null },
  list: lister,
  stat: lister,
  open: reader,
  renew: reader,
  close: reader,
  read: reader,
  readTags: reader,
  readNodes: reader,
  openPut: writer,
  write: writer,
  replicate: writer,
  remove: { signedBy: 'account_or_node', scope: 'put' },
  pushHead: { signedBy: 'account_or_node', scope: 'custody' },
};

interface Opened {
  readonly catalogue: Catalogue;
  readonly heads: Heads;
  readonly upkeep: Upkeep;
  readonly calls: ServiceImpl<typeof BioNfs>;
}

/** The storage role. Its calls are registered at once; they fail with BUSY until it has started. */
export function createStorage(options: StorageOptions): Application {
  let opened: Opened | undefined;
  const calls = delegated(() => {
    if (opened !== undefined) return opened.calls;
    throw new AppError('BUSY', 'this vault is starting or stopping', { hint: 'Try again soon.' });
  });
  options.listener.service(BioNfs, calls, ACCESS);
  return {
    name: 'storage',
    async start() {
      opened ??= await open(options);
    },
    async stop() {
      const { upkeep } = opened ?? {};
      opened = undefined;
      await upkeep?.stop();
    },
    health() {
      const why = opened === undefined ? 'it is not open' : troubleOf(opened);
      return why === undefined ? { status: 'ok' } : { status: 'failing', why };
    },
  };
}

async function open(options: StorageOptions): Promise<Opened> {
  const { folder, crypto, network, now, quotaOf, identity, roles = ['storage'] } = options;
  const { openBlocks = openFsBlockstore } = options;
  const blocks = await openBlocks({ folder, crypto, now, reserveBytes: DISK_RESERVE_BYTES });
  const records = await openFsRecordStore({ folder, now });
  const partials = await openFsPartialStore({ folder: join(folder, 'coming-in'), now });
  const stores = { blocks, records, partials };
  const catalogue = await openCatalogue({ crypto, network, ...stores, quotaOf, now });
  const headStore = await openFsHeadStore({ folder: join(folder, 'heads'), now });
  const heads = await openHeads({ crypto, network, store: headStore, now });
  const { zoneStatement = async () => null } = options;
  const served = { ...options, catalogue, heads, blocks, roles, nodeId: identity.nodeId };
  const upkeep = startUpkeep({
    ...{ catalogue, blocks, now, logger: options.logger, ...options.upkeep },
    scrubbedFile: join(folder, 'scrubbed-at'),
    repair: (signal) =>
      repairFrom({ identity, network, now, zoneStatement, crypto, heads, signal }),
  });
  const parts = { ...served, zoneStatement, lostBlocksOf: upkeep.lostBlocksOf };
  const calls = {
    ...listingCalls(parts),
    ...readingCalls(parts),
    ...writingCalls(parts),
    ...replicatingCalls(parts),
    ...headCalls(parts),
  };
  return { catalogue, heads, upkeep, calls };
}

function troubleOf({ catalogue, heads, upkeep }: Opened): string | undefined {
  const troubles = [
    catalogue.damaged.length > 0 ? `${catalogue.damaged.length} records are damaged` : undefined,
    heads.damaged.length > 0
      ? `what was kept of ${heads.damaged.length} owners is damaged`
      : undefined,
    upkeep.trouble,
  ].filter((trouble) => trouble !== undefined);
  return troubles.length === 0 ? undefined : troubles.join('; ');
}

/** An implementation that asks for the one to use at each call. */
function delegated(calls: () => ServiceImpl<typeof BioNfs>): ServiceImpl<typeof BioNfs> {
  return {
    discover: async (request, context) => await calls().discover(request, context),
    list: (request, context) => calls().list(request, context),
    stat: async (request, context) => await calls().stat(request, context),
    open: async (request, context) => await calls().open(request, context),
    renew: async (request, context) => await calls().renew(request, context),
    close: async (request, context) => await calls().close(request, context),
    read: (request, context) => calls().read(request, context),
    readTags: (request, context) => calls().readTags(request, context),
    readNodes: (request, context) => calls().readNodes(request, context),
    replicate: (request, context) => calls().replicate(request, context),
    openPut: async (request, context) => await calls().openPut(request, context),
    write: async (request, context) => await calls().write(request, context),
    remove: async (request, context) => await calls().remove(request, context),
    pushHead: async (request, context) => await calls().pushHead(request, context),
  };
}

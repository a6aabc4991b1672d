/** The work on tasks of a coordinator, made of its registry, its keys and what custodians say. */
import type { Heads } from '@helixmesh/vault';
import type { Application } from '../../node/application.ts';
import type { CoordinatorOptions } from '../coordinator.ts';
import { createTaskCoordination } from './coordination.ts';
import { createDecider } from './decide.ts';
import { createHeadWatch } from './head-watch.ts';
import { askOverNetwork, openCoordinatorHeads } from './heads.ts';
import { createJobEnds, tellOverNetwork } from './job-ends.ts';
import { createZoneOf } from './zone-of.ts';

/** Adds its routes to the listener at once. */
export function createCoordinatorTasks(options: CoordinatorOptions): Application {
  const { database, identity, genesis, network, listener, crypto, now, logger } = options;
  const { secretKey } = identity.signingKey;
  const attestedOperators = new Set(genesis.attestedOperators);
  let opened: Promise<Heads> | undefined;
  const heads = () => {
    opened ??= openCoordinatorHeads({ database, crypto, network, now });
    return opened;
  };
  return createTaskCoordination({
    ...{ database, listener, now, logger },
    ...(options.roundMs === undefined ? {} : { roundMs: options.roundMs }),
    keeper: { crypto, network, coordinator: identity.nodeId, secretKey },
    ...(options.isServed === undefined ? {} : { isServed: options.isServed }),
    zoneOf: createZoneOf({ database, attestedOperators }),
    decide: createDecider({ database, crypto, heads, attestedOperators }),
    watch: createHeadWatch({
      ...{ database, heads, now, logger },
      ask: askOverNetwork({ network, now }),
    }),
    ends: createJobEnds({ database, tell: tellOverNetwork({ network, identity }), now, logger }),
  });
}

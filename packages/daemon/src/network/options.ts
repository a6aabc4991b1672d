/** What a listener is made of. */
import type { Digest } from '@helixmesh/protocol';
import type { Crypto } from '@helixmesh/protocol/sealing';
import type { Logger } from '../node/logger.ts';
import type { NodeIdentity } from './identity.ts';

export interface Answered {
  /** As it was declared: it holds no id. */
  readonly route: string;
  /** Of HTTP; calls of gRPC that fail are 200 like those that do not. */
  readonly status: number;
  readonly seconds: number;
}

export interface ListenerOptions {
  readonly identity: NodeIdentity;
  readonly network: Digest;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly crypto: Crypto;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly logger: Logger;
  /** What GET /health and grpc.health.v1 answer; by default that all is well. */
  readonly isHealthy?: () => boolean;
  /** Told of each request that was answered. */
  readonly onAnswered?: (request: Answered) => void;
  /** Requests in a minute; by default the limits of this package. */
  readonly requestsPerAddress?: number;
  readonly requestsPerKey?: number;
}

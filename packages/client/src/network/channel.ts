/**
 * A channel to one node: its REST contract, BioNFS and results on one TLS connection, where the node's
 * key is known beforehand and each request is signed.
 */
import { type CallOptions, type Client, createClient } from '@connectrpc/connect';
import type { Digest } from '@helixmesh/protocol';
import { BioNfs } from '@helixmesh/protocol/bionfs';
import { Results } from '@helixmesh/protocol/results';
import type { NetworkRouteName, NodeAddress } from '@helixmesh/protocol/sealing';
import { createSigningTransport } from './grpc-client.ts';
import { type ChannelCertificate, createPinnedSession } from './pinned-session.ts';
import { callRoute, type NetworkCallInput, type NetworkReply } from './rest-call.ts';
import type { ChannelSigner } from './sign.ts';

export interface ChannelOptions {
  readonly address: NodeAddress;
  readonly network: Digest;
  /** Absent: only what needs no signature can be called. */
  readonly signer?: ChannelSigner | undefined;
  /** Needed where a node signs with its own key. */
  readonly certificate?: ChannelCertificate | undefined;
  /** Milliseconds since 1970; the clock of this machine. */
  readonly now?: () => number;
}

/** Opened by the first call, and again by the next one when the connection was lost. */
export interface Channel {
  readonly address: NodeAddress;
  /** Calls one route. Throws the node's AppError, PEER_NOT_TRUSTED, PEER_UNREACHABLE or CANCELED. */
  call<N extends NetworkRouteName>(name: N, input: NetworkCallInput<N>): Promise<NetworkReply<N>>;
  /**
   * BioNFS; throws the same errors. A call with one answer takes a minute at most. A stream of answers
   * that is left before its end is canceled.
   */
  readonly bionfs: Client<typeof BioNfs>;
  /** Results of analyses that the node has made, as BioNFS. */
  readonly results: Client<typeof Results>;
  /** Ends the connection and what runs on it. */
  close(): void;
}

export function openChannel(options: ChannelOptions): Channel {
  const { address, network, signer, now = Date.now } = options;
  const session = createPinnedSession(options);
  const signing = { address, network, signer, now };
  const transport = createSigningTransport(session, signing);
  const results = createClient(Results, transport);
  return {
    address,
    async call(name, input) {
      return (await callRoute(name, { session, signing, input })) as never;
    },
    bionfs: endingStreams(createClient(BioNfs, transport)),
    results: {
      ...results,
      fetch: (request, options) => untilLeft(options, (own) => results.fetch(request, own)),
    },
    close: () => session.close(),
  };
}

/** Leaving the loop over a stream ends the call at the node too; ConnectRPC alone lets it wait. */
function endingStreams(client: Client<typeof BioNfs>): Client<typeof BioNfs> {
  const { list, read, readTags, readNodes, replicate } = client;
  return {
    ...client,
    list: (request, options) => untilLeft(options, (own) => list(request, own)),
    read: (request, options) => untilLeft(options, (own) => read(request, own)),
    readTags: (request, options) => untilLeft(options, (own) => readTags(request, own)),
    readNodes: (request, options) => untilLeft(options, (own) => readNodes(request, own)),
    replicate: (request, options) => untilLeft(options, (own) => replicate(request, own)),
  };
}

async function* untilLeft<T>(
  options: CallOptions | undefined,
  start: (options: CallOptions) => AsyncIterable<T>,
): AsyncGenerator<T> {
  const leaving = new AbortController();
  const signals = [leaving.signal, ...(options?.signal ? [options.signal] : [])];
  try {
    yield* start({ ...options, signal: AbortSignal.any(signals) });
  } finally {
    leaving.abort();
  }
}

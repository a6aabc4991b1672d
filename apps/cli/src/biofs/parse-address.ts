/** Addresses of nodes on the command line. */
import { AppError } from '@helixmesh/protocol';
import {
  type Endpoint,
  endpointSchema,
  type NodeAddress,
  parseNodeAddress,
} from '@helixmesh/protocol/sealing';
import { InvalidArgumentError } from 'commander';

/** For an option that may be given more than once. */
export function parseVault(text: string, before: readonly NodeAddress[] = []): NodeAddress[] {
  try {
    return [...before, parseNodeAddress(text)];
  } catch (error) {
    throw new InvalidArgumentError(AppError.from(error).hint ?? '');
  }
}

export function parseEndpoint(text: string): Endpoint {
  const endpoint = readEndpoint(text);
  if (endpoint !== undefined) return endpoint;
  throw new InvalidArgumentError('Give host:port, e.g. 127.0.0.1:7402.');
}

/** Undefined for what nobody could dial. */
export function readEndpoint(text: string): Endpoint | undefined {
  const [, host = '', port] = /^\[?([^\]]+)\]?:(\d{1,5})$/.exec(text) ?? [];
  const parsed = endpointSchema.safeParse({ host, port: Number(port) });
  return parsed.success ? parsed.data : undefined;
}

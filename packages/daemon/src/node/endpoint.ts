/**
 * Where a node listens, `host:port`, and whether it may.
 *
 * L1  Other machines reach a node only when its settings say so: without `listen_public` it binds
 *     loopback addresses and nothing else, not even those of a private network.
 */
import { BlockList, isIP, isIPv6 } from 'node:net';
import { AppError } from '@helixmesh/protocol';

export interface Endpoint {
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

const PORT_MAX = 65_535;
const SHAPE = /^(\[([0-9a-fA-F:.]{2,45})\]|[A-Za-z0-9.-]{1,253}):([0-9]{1,5})$/;

/** Undefined for text that is none; port 0 stands for any free one. */
export function readEndpoint(text: string): Endpoint | undefined {
  const [, written, bracketed, digits] = SHAPE.exec(text) ?? [];
  const host = bracketed ?? written;
  const port = Number(digits);
  if (host === undefined || port > PORT_MAX) return undefined;
  if (bracketed !== undefined && !isIPv6(bracketed)) return undefined;
  return { host, port };
}

/** Throws CONFIG_INVALID, naming `what`, for text that is none. */
export function parseEndpoint(text: string, what: string): Endpoint {
  const endpoint = readEndpoint(text);
  if (endpoint !== undefined) return endpoint;
  throw new AppError('CONFIG_INVALID', `${what} is not host:port`, {
    hint: 'Give for example 127.0.0.1:7400 or [::1]:7400.',
  });
}

export function formatEndpoint({ host, port }: Endpoint): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** True for addresses that no other machine can reach. Names are not looked up. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  const family = isIP(host);
  return family !== 0 && loopback.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

/** All addresses of the machine: nobody can dial it. */
export function isWildcard(host: string): boolean {
  return isIP(host) !== 0 && !/[1-9a-f]/i.test(host.replace(/^::ffff:/i, ''));
}

/** Throws CONFIG_INVALID for an address that the settings do not allow (L1). */
export function assertMayListen(listen: Endpoint, isPublic: boolean): void {
  if (isIP(listen.host) === 0 && listen.host !== 'localhost') {
    throw new AppError('CONFIG_INVALID', `node.listen names the host ${listen.host}`, {
      hint: 'Give an address of this machine in numbers; the name goes into node.endpoint.',
    });
  }
  if (isPublic || isLoopback(listen.host)) return;
  throw new AppError(
    'CONFIG_INVALID',
    `node.listen = ${formatEndpoint(listen)} would let other machines reach this node`,
    {
      hint: 'Set node.listen_public = true (init: --listen-public), or listen on 127.0.0.1.',
    },
  );
}

/** For what is neither signed nor encrypted. Throws CONFIG_INVALID for another address. */
export function assertLoopback(endpoint: Endpoint): void {
  if (isLoopback(endpoint.host)) return;
  throw new AppError(
    'CONFIG_INVALID',
    `middleware.metrics_listen = ${formatEndpoint(endpoint)} would let others read what is counted`,
    { hint: 'Listen on 127.0.0.1, and let a proxy with access control scrape it for others.' },
  );
}

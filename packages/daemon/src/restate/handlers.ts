/**
 * The HTTP/2 endpoint through which the engine calls our handlers.
 *
 * An invocation stays bound to the deployment on which it began, so the port is chosen once and
 * kept; where it must change, the deployment's URI is patched before anything is served.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { createServer, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { AppError } from '@helixmesh/protocol';
import { createEndpointHandler, type ServeOptions } from '@restatedev/restate-sdk';
import { type EngineAddress, engineRequest } from './engine-http.ts';

type Services = ServeOptions['services'];

export interface HandlerEndpoint {
  readonly uri: string;
  /** Resolves when it no longer listens. */
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

export interface ServeHandlersOptions {
  readonly services: Services;
  /** Where the port is kept. */
  readonly stateDir: string;
  readonly admin: EngineAddress;
  /** Restate's public key; requests that it has not signed are refused. Null trusts the network. */
  readonly identityKey: string | null;
}

/** Listens, tells the engine where, and answers once it may call. */
export async function serveHandlers(options: ServeHandlersOptions): Promise<HandlerEndpoint> {
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer(
    createEndpointHandler({
      services: options.services,
      ...(options.identityKey === null ? {} : { identityKeys: [options.identityKey] }),
      logger: () => {
        // The SDK logs each retry with payloads; our own log has the failure without them.
      },
    }),
  );
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
  const port = await listen(server, join(options.stateDir, 'handler-port'));
  const uri = `http://127.0.0.1:${port}/`;
  await registerDeployment(options.admin, { uri, stateDir: options.stateDir });
  const closed = new Promise<void>((resolve) => server.once('close', () => resolve()));
  return {
    uri,
    closed,
    close: async () => {
      for (const session of sessions) session.destroy();
      server.close();
      await closed;
    },
  };
}

async function listen(server: Http2Server, portFile: string): Promise<number> {
  const kept = Number(await readFile(portFile, 'utf8').catch(() => '0'));
  const port = await tryListen(server, kept).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    return tryListen(server, 0);
  });
  await writeFile(`${portFile}.new`, String(port));
  await rename(`${portFile}.new`, portFile);
  return port;
}

function tryListen(server: Http2Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

interface Deployment {
  readonly id: string;
  readonly uri: string;
}

/** Registers the endpoint, or moves the deployment that this node registered before to its URI. */
async function registerDeployment(
  admin: EngineAddress,
  { uri, stateDir }: { uri: string; stateDir: string },
): Promise<void> {
  const idFile = join(stateDir, 'deployment-id');
  const known = await readFile(idFile, 'utf8').catch(() => null);
  if (known !== null) {
    const patched = await engineRequest(admin, {
      method: 'PATCH',
      path: `/deployments/${encodeURIComponent(known)}`,
      body: { uri, overwrite: true },
    });
    if (patched.status < 300) return;
    if (patched.status !== 404) throw refused(patched.body);
  }
  const reply = await engineRequest(admin, {
    method: 'POST',
    path: '/deployments',
    body: { uri, force: true },
  });
  if (reply.status >= 300) throw refused(reply.body);
  const { id } = reply.body as Deployment;
  await writeFile(`${idFile}.new`, id);
  await rename(`${idFile}.new`, idFile);
}

function refused(body: unknown): AppError {
  return new AppError(
    'ENGINE_UNAVAILABLE',
    `the engine refused our handlers: ${JSON.stringify(body)}`,
    {
      hint: 'Use the Restate version that this release of Helixmesh was built for.',
    },
  );
}

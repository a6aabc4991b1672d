/**
 * JSON over HTTP to a Restate API, on a unix socket or a TCP address. Deliberately small: the
 * engine's admin and ingress APIs are the only peers.
 */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { AppError } from '@helixmesh/protocol';
import { REPLY_MAX_BYTES, REQUEST_TIMEOUT_MS } from './limits.ts';

/** `unix:/path/to.sock`, `http://host:port` or `https://host:port`. */
export type EngineAddress = string;

export interface EngineReply {
  readonly status: number;
  readonly body: unknown;
}

export interface EngineRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
}

/** One request; throws ENGINE_UNAVAILABLE when nothing answers. Any status is an answer. */
export async function engineRequest(
  address: EngineAddress,
  { method, path, body }: EngineRequest,
): Promise<EngineReply> {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const headers: Record<string, string> = { accept: 'application/json' };
  if (payload !== undefined) headers['content-type'] = 'application/json';
  const unix = address.startsWith('unix:');
  const target = unix
    ? { socketPath: address.slice('unix:'.length), path }
    : urlTarget(new URL(path, address));
  const send = address.startsWith('https:') ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = send(
      { ...target, method, headers, timeout: REQUEST_TIMEOUT_MS },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > REPLY_MAX_BYTES) request.destroy(unavailable('its reply is too large'));
          else chunks.push(chunk);
        });
        response.on('error', (cause) => reject(unavailable(cause)));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: response.statusCode ?? 0, body: parseReply(text) });
        });
      },
    );
    request.on('timeout', () => request.destroy(unavailable('no answer in time')));
    request.on('error', (cause) => reject(cause instanceof AppError ? cause : unavailable(cause)));
    request.end(payload);
  });
}

function urlTarget(url: URL): { host: string; port: string; path: string } {
  return { host: url.hostname, port: url.port, path: `${url.pathname}${url.search}` };
}

function parseReply(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    // Restate answers some errors as plain text; the caller shows it as it is.
    return text;
  }
}

function unavailable(cause: unknown): AppError {
  return new AppError('ENGINE_UNAVAILABLE', 'the durable engine (Restate) does not answer', {
    hint: 'Wait a moment; if it stays so, restart `helixmesh up`.',
    cause,
  });
}

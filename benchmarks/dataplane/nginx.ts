/** nginx with TLS 1.3 and HTTP/2 on loopback, serving one folder: what a vault is compared with. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '@helixmesh/protocol';

export interface Nginx {
  readonly port: number;
  close(): Promise<void>;
}

const LOOK_MS = 20;

/** Serves `files`, with everything of its own in `folder`. Rejects where there is no nginx. */
export async function startNginx(folder: string, files: string): Promise<Nginx> {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const subject = ['-x509', '-days', '2', '-nodes', '-subj', '/CN=127.0.0.1'];
  const key = ['-newkey', 'ed25519', '-keyout', join(folder, 'key.pem')];
  execFileSync('openssl', ['req', ...subject, ...key, '-out', join(folder, 'cert.pem')], {
    stdio: 'ignore',
  });
  writeFileSync(join(folder, 'nginx.conf'), configOf({ folder, files, port }));
  const child = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], {
    stdio: 'ignore',
  });
  const ended = once(child, 'close');
  await Promise.race([listens(port), ended.then(() => Promise.reject(noNginx()))]);
  return {
    port,
    async close() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function configOf(at: {
  readonly folder: string;
  readonly files: string;
  readonly port: number;
}): string {
  const { folder, files, port } = at;
  return `
daemon off;
user root;
worker_processes 2;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events { worker_connections 64; }
http {
  access_log off;
  sendfile on;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${port} ssl http2;
    ssl_certificate ${folder}/cert.pem;
    ssl_certificate_key ${folder}/key.pem;
    ssl_protocols TLSv1.3;
    root ${files};
  }
}
`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function listens(port: number): Promise<void> {
  for (;;) {
    const socket = connect({ host: '127.0.0.1', port });
    const isOpen = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (isOpen) return;
    await delay(LOOK_MS);
  }
}

function noNginx(): AppError {
  return new AppError('TOOL_MISSING', 'nginx did not start', {
    hint: 'Install it (apt-get install nginx-light), or leave download and delay out with --only.',
  });
}

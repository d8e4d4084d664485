// Debian's nginx as a child process, with one server of a test's own and all of its files in a temporary directory.
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { start, stop, until } from './process.ts';
import { temporaryDirectory } from './temporary.ts';

export interface NginxOptions {
  /** A `server { … }` that listens on 127.0.0.1 and this port. */
  readonly server: string;
  readonly port: number;
}

export async function startNginx({ server, port }: NginxOptions): Promise<AsyncDisposable> {
  const directory = await temporaryDirectory('nginx');
  const at = (name: string) => join(directory.path, name);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${at(kind)};`,
  );
  const config = `daemon off;
pid ${at('pid')};
error_log ${at('error.log')};
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
events { worker_connections 256; }
http {
access_log off;
${temporary.join('\n')}
${server}
}
`;
  await writeFile(at('nginx.conf'), config);
  const child = start('/usr/sbin/nginx', ['-p', directory.path, '-e', at('error.log'), '-c', at('nginx.conf')]);
  child.stdout?.resume();
  child.stderr?.resume();
  await until(() => accepts(port));
  return {
    [Symbol.asyncDispose]: async () => {
      await stop(child);
      await directory[Symbol.asyncDispose]();
    },
  };
}

async function accepts(port: number): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const socket = connect({ port, host: '127.0.0.1' }, () => resolve(true));
  socket.once('error', reject);
  return await promise.finally(() => socket.destroy());
}

// Debian's docker-registry on a free loopback port, with its data in a temporary directory.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { must, start, stop, until } from './process.ts';
import { freePort, temporaryDirectory } from './temporary.ts';

export interface RegistryPeer extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** `http://127.0.0.1:PORT` */
  readonly base: string;
  readonly port: number;
  /** The directory that holds `docker/registry/v2`. */
  readonly data: string;
  /** Runs the collector beside the running registry. With `remembers`, the registry still claims to have what was removed. */
  collectGarbage(): Promise<void>;
}

export interface RegistryOptions {
  /** A data directory that is kept. Absent: a temporary one. */
  readonly data?: string;
  /** Caches blob descriptors in memory, as in Debian's configuration. */
  readonly remembers?: boolean;
  /** The text of an htpasswd file: who may do anything at all. */
  readonly htpasswd?: string;
}

export async function startDockerRegistry(options: RegistryOptions = {}): Promise<RegistryPeer> {
  const directory = await temporaryDirectory('docker-registry');
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const data = options.data ?? join(directory.path, 'data');
  const config = {
    version: 0.1,
    storage: {
      filesystem: { rootdirectory: data },
      delete: { enabled: true },
      ...(options.remembers && { cache: { blobdescriptor: 'inmemory' } }),
    },
    http: { addr: host },
    log: { level: 'error', accesslog: { disabled: true } },
  };
  const file = join(directory.path, 'config.yml');
  const users = join(directory.path, 'users');
  const auth = options.htpasswd === undefined ? {} : { auth: { htpasswd: { realm: 'test', path: users } } };
  if (options.htpasswd !== undefined) await writeFile(users, options.htpasswd);
  await writeFile(file, JSON.stringify({ ...config, ...auth }));
  const child = start('docker-registry', ['serve', file]);
  child.stdout?.resume();
  child.stderr?.resume();
  const base = `http://${host}`;
  await until(async () => [200, 401].includes((await fetch(`${base}/v2/`)).status));
  return {
    host,
    base,
    port,
    data,
    async collectGarbage() {
      await must('docker-registry', ['garbage-collect', file]);
    },
    [Symbol.asyncDispose]: async () => {
      await stop(child);
      await directory[Symbol.asyncDispose]();
    },
  };
}

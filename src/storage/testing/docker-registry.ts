// Debian's docker-registry (registry:2) over a directory: the program with which volumes are exchanged.
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const PROGRAM = '/usr/bin/docker-registry';

export const hasDockerRegistry = existsSync(PROGRAM);

export interface DockerRegistry extends AsyncDisposable {
  /** `http://127.0.0.1:PORT/v2/` */
  readonly url: string;
}

export async function startDockerRegistry(directory: string): Promise<DockerRegistry> {
  const port = await freePort();
  const config = await writeConfig(directory, port);
  const child = spawn(PROGRAM, ['serve', config.file], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const url = `http://127.0.0.1:${port}/v2/`;
  for (let attempt = 0; !(await answers(url)); attempt++) {
    if (attempt > 200 || child.exitCode !== null) throw new Error('docker-registry did not start');
    await delay(50);
  }
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await ended;
      await rm(config.directory, { recursive: true });
    },
  };
}

/** Runs its garbage collector over a directory that it is not serving. Returns the output. */
export async function dockerGarbageCollect(directory: string): Promise<string> {
  const config = await writeConfig(directory, 0);
  try {
    const { stdout, stderr } = await promisify(execFile)(PROGRAM, ['garbage-collect', config.file]);
    return stdout + stderr;
  } finally {
    await rm(config.directory, { recursive: true });
  }
}

async function writeConfig(store: string, port: number): Promise<{ directory: string; file: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'images-docker-registry-'));
  const file = join(directory, 'config.yml');
  const config = {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: store }, delete: { enabled: true } },
    http: { addr: `127.0.0.1:${port}` },
  };
  await writeFile(file, JSON.stringify(config).replace('"0.1"', '0.1'));
  return { directory, file };
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    (response) => response.ok,
    () => false,
  );
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

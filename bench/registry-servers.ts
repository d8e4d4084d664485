// The servers that bench/registry.ts compares, each a process whose processor time and memory the kernel counts.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { start, stop, until } from '../test/peers/process.ts';
import { ROOT } from '../test/peers/program.ts';
import { freePort, temporaryDirectory } from '../test/peers/temporary.ts';

export interface Server extends AsyncDisposable {
  readonly port: number;
  /** The store; for the limit, nothing. */
  readonly data: string;
  /** Processor seconds so far, of all threads. */
  cpu(): number;
  /** Peak of resident memory so far, in MB (10⁶ bytes). */
  peak(): number;
}

/** Files, in PEM. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
}

export interface OursOptions {
  readonly args?: readonly string[];
  /** The text of registry.toml. */
  readonly config?: string;
  readonly tls?: TlsFiles;
  readonly env?: Readonly<Record<string, string>>;
}

export interface DockerOptions {
  readonly tls?: TlsFiles;
  /** The URL of a registry: what is missing is fetched from there. */
  readonly proxyOf?: string;
}

/** `images serve`, as a user starts it. */
export async function startOurs({ args = [], config, tls, env: more = {} }: OursOptions = {}): Promise<Server> {
  const directory = await temporaryDirectory('bench-ours');
  const port = await freePort();
  const data = join(directory.path, 'store');
  if (config !== undefined) {
    await mkdir(data);
    await writeFile(join(data, 'registry.toml'), config);
  }
  const env = { HOME: directory.path, XDG_RUNTIME_DIR: directory.path, IMAGES_RUNTIME: directory.path, ...more };
  const program = process.env.BENCH_IMAGES ?? join(ROOT, 'bin/images');
  const secure = tls ? [`--tls-cert=${tls.certificate}`, `--tls-key=${tls.key}`] : [];
  const child = start(program, ['serve', `--listen=127.0.0.1:${port}`, `--data=${data}`, ...secure, ...args], { env });
  return await serverOf(child, { port, data, directory });
}

/** With what it can do for speed: descriptors in memory, no access log. */
export async function startDocker({ tls, proxyOf }: DockerOptions = {}): Promise<Server> {
  const directory = await temporaryDirectory('bench-docker');
  const port = await freePort();
  const data = join(directory.path, 'store');
  const file = join(directory.path, 'config.yml');
  const config = {
    version: 0.1,
    storage: { filesystem: { rootdirectory: data }, delete: { enabled: true }, cache: { blobdescriptor: 'inmemory' } },
    http: { addr: `127.0.0.1:${port}`, ...(tls && { tls }) },
    log: { level: 'error', accesslog: { disabled: true } },
    ...(proxyOf !== undefined && { proxy: { remoteurl: proxyOf } }),
  };
  await writeFile(file, JSON.stringify(config));
  return await serverOf(start('docker-registry', ['serve', file]), { port, data, directory });
}

/** A bare Node server that sends this file to whoever asks, and keeps nothing of what it receives. */
export function startLimit(file: string): Promise<Server> {
  return startBare('limit-serve.mjs', file);
}

/** A bare Node program that fetches each blob from this registry (`HOST:PORT`), hashes it, writes it, syncs it, and passes it on. */
export function startLimitProxy(upstream: string): Promise<Server> {
  return startBare('limit-proxy.mjs', upstream);
}

async function startBare(script: string, what: string): Promise<Server> {
  const directory = await temporaryDirectory('bench-limit');
  const child = start(process.execPath, [join(ROOT, 'bench', script), what, directory.path]);
  const [line] = (await once(child.stdout ?? child, 'data')) as [Buffer];
  return await serverOf(child, { port: Number(line.toString()), data: '', directory });
}

async function serverOf(
  child: ChildProcess,
  { port, data, directory }: { readonly port: number; readonly data: string; readonly directory: AsyncDisposable },
): Promise<Server> {
  child.stdout?.resume();
  child.stderr?.on('data', (chunk: Buffer) => process.stderr.write(chunk.includes('ERROR') ? chunk : ''));
  if (data !== '') await until(() => accepts(port));
  const file = (name: string) => readFileSync(`/proc/${child.pid}/${name}`, 'utf8');
  return {
    port,
    data,
    cpu: () => {
      // proc(5): after the name in parentheses, the 12th and 13th fields are ticks of 10 ms.
      const fields = file('stat')
        .replace(/^.*\) /s, '')
        .split(' ');
      return (Number(fields[11]) + Number(fields[12])) / 100;
    },
    peak: () => (Number(/^VmHWM:\s+(\d+) kB$/m.exec(file('status'))?.[1]) * 1024) / 1e6,
    [Symbol.asyncDispose]: async () => {
      await stop(child);
      await directory[Symbol.asyncDispose]();
    },
  };
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    return true;
  } finally {
    socket.destroy();
  }
}

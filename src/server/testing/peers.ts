// Real clients for tests: which are installed, how to run them, and an OCI layout on disk that all of them read.
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import type { Descriptor } from '../../oci/descriptor.ts';
import { digestHex, digestOf } from '../../oci/digest.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../oci/media-types.ts';

const execute = promisify(execFile);

export function isInstalled(...programs: readonly string[]): boolean {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return programs.every((program) => folders.some((folder) => isExecutable(join(folder, program))));
}

export const isRoot = process.getuid?.() === 0;

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Runs a program to its end and gives back its standard output; throws with its standard error where it fails. */
export async function run(program: string, ...args: readonly string[]): Promise<string> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/_proxy$/i.test(name)));
  const { stdout } = await execute(program, [...args], { env, maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}

export interface Daemon extends AsyncDisposable {
  readonly pid: number | undefined;
}

/** Starts a program and waits until `isReady` does not throw any more; disposing ends it by its own process id and waits. */
export async function startDaemon(
  command: readonly [string, ...string[]],
  isReady: () => Promise<unknown>,
): Promise<Daemon> {
  const [program, ...args] = command;
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(child, 'exit');
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = `${said}${chunk}`.slice(-4000);
  });
  const daemon: Daemon = {
    pid: child.pid,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${program} ended: ${said}`);
    try {
      await isReady();
      return daemon;
    } catch {
      await sleep(100);
    }
  }
}

export interface Layout extends AsyncDisposable {
  readonly directory: string;
  /** Of the index that the layout's tag `all` names: two platforms. */
  readonly index: Descriptor;
  /** Of the image for linux/amd64, which is its tag `v1`. */
  readonly manifest: Descriptor;
}

/** An image of two layers, one of them several megabytes, for two platforms. */
export async function makeLayout(): Promise<Layout> {
  const directory = await mkdtemp(join(tmpdir(), 'images-layout-'));
  const blobs = join(directory, 'blobs/sha256');
  await mkdir(blobs, { recursive: true });
  const add = async (mediaType: string, content: Uint8Array | object): Promise<Descriptor> => {
    const bytes = content instanceof Uint8Array ? content : Buffer.from(JSON.stringify(content));
    const digest = digestOf(bytes);
    await writeFile(join(blobs, digestHex(digest)), bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const layers = [await tarOf('hello', Buffer.from('hello\n')), await tarOf('big', randomBytes(5_000_000))];
  const addImage = async (architecture: string): Promise<Descriptor> => {
    const rootfs = { type: 'layers', diff_ids: layers.map((layer) => digestOf(layer)) };
    const config = await add(OCI_CONFIG, { architecture, os: 'linux', config: { Cmd: ['/hello'] }, rootfs });
    const descriptors: Descriptor[] = [];
    for (const layer of layers) descriptors.push(await add(OCI_LAYER_GZIP, gzipSync(layer, { level: 1 })));
    const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: descriptors };
    return { ...(await add(OCI_MANIFEST, manifest)), platform: { os: 'linux', architecture } };
  };
  const manifests = [await addImage('amd64'), await addImage('arm64')] as const;
  const index = await add(OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests });
  const tagged = (descriptor: Descriptor, tag: string) => ({
    ...descriptor,
    annotations: { 'org.opencontainers.image.ref.name': tag },
  });
  const top = { schemaVersion: 2, manifests: [tagged(manifests[0], 'v1'), tagged(index, 'all')] };
  await writeFile(join(directory, 'index.json'), JSON.stringify(top));
  await writeFile(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  return {
    directory,
    index,
    manifest: manifests[0],
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

async function tarOf(name: string, content: Uint8Array): Promise<Buffer> {
  const directory = await mkdtemp(join(tmpdir(), 'images-tar-'));
  try {
    await writeFile(join(directory, name), content);
    const options = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--format=ustar'];
    const { stdout } = await execute('tar', [...options, '-c', '-C', directory, name], {
      encoding: 'buffer',
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

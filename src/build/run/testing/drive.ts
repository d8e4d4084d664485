// Executes one RUN in a separate process, so that tests can run it as another user and kill it. Reads a specification (a JSON file), prints the outcome (JSON, the last line).
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream, readFileSync, statSync } from 'node:fs';
import type { Digest } from '../../../oci/digest.ts';
import { isImagesError } from '../../../oci/errors.ts';
import type { Layer } from '../../../rootfs/contract.ts';
import type { RunMount, RunRequest } from '../../contract.ts';
import type { RunnerSettings } from '../contract.ts';
import { createRunMachine } from '../create-run-machine.ts';

/** Layers are files of uncompressed archives; the content of files is text. */
export interface Drive {
  readonly settings: Omit<RunnerSettings, 'path'> & Partial<Pick<RunnerSettings, 'path'>>;
  readonly layers: readonly string[];
  readonly request: Partial<Omit<RunRequest, 'layers' | 'mounts'>> & Pick<RunRequest, 'args'>;
  readonly mounts?: readonly DrivenMount[];
  /** Of layers' files, as far as they are known: hashing a large one takes longer than most tests. */
  readonly digests?: Readonly<Record<string, Digest>>;
  /** Path for the new layer. */
  readonly out: string;
  readonly abortWhenPrinted?: string;
}

export type DrivenMount =
  | Extract<RunMount, { readonly type: 'tmpfs' | 'ssh' }>
  | (Omit<Extract<RunMount, { readonly type: 'bind' }>, 'layers'> & { readonly layers: readonly string[] })
  | (Omit<Extract<RunMount, { readonly type: 'cache' }>, 'layers'> & { readonly layers: readonly string[] })
  | (Omit<Extract<RunMount, { readonly type: 'file' }>, 'content'> & { readonly content: string });

export interface Outcome {
  readonly status?: number;
  readonly hint?: string;
  readonly output: string;
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
  readonly machine: unknown;
}

/** An uncompressed archive as a layer. */
export function layerOf(file: string, digest: Digest = hashFile(file)): Layer {
  return {
    descriptor: { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: statSync(file).size },
    diffId: digest,
    open: async () => createReadStream(file) as AsyncIterable<Uint8Array>,
  };
}

export function hashFile(file: string): Digest {
  return `sha256:${createHash('sha256').update(readFileSync(file)).digest('hex')}`;
}

function mountOf(mount: DrivenMount, layersOf: (files: readonly string[]) => readonly Layer[]): RunMount {
  if (mount.type === 'bind' || mount.type === 'cache') return { ...mount, layers: layersOf(mount.layers) };
  return mount.type === 'file' ? { ...mount, content: Buffer.from(mount.content) } : mount;
}

async function drive(spec: Drive): Promise<Outcome> {
  const machine = createRunMachine({ path: '/usr/local/bin:/usr/bin:/bin', ...spec.settings });
  const abort = new AbortController();
  const layersOf = (files: readonly string[]) => files.map((path) => layerOf(path, spec.digests?.[path]));
  let output = '';
  const request: RunRequest = {
    env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
    directory: '/',
    user: { uid: 0, gid: 0, groups: [], home: '/root' },
    network: 'default',
    platform: { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch },
    ...spec.request,
    layers: layersOf(spec.layers),
    mounts: (spec.mounts ?? []).map((mount) => mountOf(mount, layersOf)),
    onOutput(chunk) {
      output += Buffer.from(chunk).toString();
      process.stderr.write(chunk);
      if (spec.abortWhenPrinted && output.includes(spec.abortWhenPrinted)) abort.abort();
    },
  };
  const seen = await machine.probe();
  try {
    await using result = await machine.run(request, { signal: abort.signal });
    const { status, hint } = result;
    const file = createWriteStream(spec.out);
    if (status === 0) for await (const chunk of result.changes) file.write(chunk);
    file.end();
    await once(file, 'finish');
    return { status, ...(hint && { hint }), output, machine: seen };
  } catch (error) {
    if (abort.signal.aborted) return { output, machine: seen, error: { code: 'ABORTED', message: String(error) } };
    if (!isImagesError(error)) throw error;
    const { code, message, hint } = error;
    return { output, machine: seen, error: { code, message, ...(hint && { hint }) } };
  }
}

const file = process.argv[2];
if (file) process.stdout.write(`${JSON.stringify(await drive(JSON.parse(readFileSync(file, 'utf8')) as Drive))}\n`);

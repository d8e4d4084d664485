// A packed chart (`helm package`, `helm dependency build`): a gzipped tar archive with one directory. It is read as a tree of its own.
// Its files are named `charts/x-1.0.tgz!x/templates/y.yaml`. Relies on tar/reader.ts and node:zlib.
import { createGunzip } from 'node:zlib';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { byBytes } from '../byte-order.ts';
import type { FileTree } from '../contract.ts';
import type { Clues } from '../may-matter.ts';
import { parseYaml } from '../yaml.ts';

/** Helm's limit for a file in a chart. Larger files contain nothing from which a template makes an image. */
const MAX_FILE = 5 << 20;
const MAX_ENTRIES = 10_000;
/** Longer than any name in a file system. */
const MAX_NAME = 4096;

export interface PackedChart {
  readonly tree: FileTree;
  /** For example `charts/x-1.0.tgz!x`. */
  readonly directory: string;
}

/** An archive that exceeds a limit or is truncated. `isChart`: its beginning is that of a chart. */
export interface UnreadableChart {
  readonly problem: string;
  readonly isChart: boolean;
}

/** The content of an archive: names and bytes. */
export interface Unpacked {
  readonly contents: ReadonlyMap<string, Uint8Array>;
  readonly bytes: number;
  /** Why the archive was not read to its end. */
  readonly problem: string | undefined;
}

export function isPacked(file: string): boolean {
  return file.endsWith('.tgz');
}

/** The chart in an archive. Returns `undefined` if the archive is not a chart. */
export function chartIn(
  file: string,
  { contents, problem }: Unpacked,
  clues: Clues,
): PackedChart | UnreadableChart | undefined {
  const top = [...contents.keys()].map((name) => /^([^/]+)\/Chart\.yaml$/.exec(name)?.[1]).find(Boolean);
  if (problem !== undefined) return { problem, isChart: top !== undefined };
  if (top === undefined) return undefined;
  return { tree: treeOf(file, contents, clues), directory: `${file}!${top}` };
}

/** Unpacks an archive, up to so many bytes or to the point where it is damaged. `spend` is called with the number of bytes. Errors: TAR_INVALID (not an archive at all). */
export async function unpackChart(packed: Uint8Array, most: number, spend: (bytes: number) => void): Promise<Unpacked> {
  // Loaded lazily: packed charts are rare.
  const { readTar } = await import('../../tar/reader.ts');
  const contents = new Map<string, Uint8Array>();
  let entries = 0;
  let bytes = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of gunzip(packed)) {
      spend(chunk.length);
      bytes += chunk.length;
      if (bytes > most) throw new TooLargeError(`it unpacks to more than [${most >> 20}] MiB`);
      yield chunk;
    }
  };
  try {
    for await (const { name, type, size, body } of readTar(counted())) {
      if (++entries > MAX_ENTRIES) throw new TooLargeError(`it has more than [${MAX_ENTRIES}] files`);
      if (type !== 'file' || size > MAX_FILE || name.length > MAX_NAME) continue;
      contents.set(name.replace(/^(?:\.\/)+/, ''), Buffer.concat(await Array.fromAsync(body)));
    }
  } catch (error) {
    const isUnreadable = error instanceof TooLargeError || (isImagesError(error, 'TAR_INVALID') && contents.size > 0);
    if (!isUnreadable) throw error;
    return { contents, bytes, problem: error.message };
  }
  return { contents, bytes, problem: undefined };
}

class TooLargeError extends Error {}

/** The consumer must limit the size, since a small archive can expand to any size. */
async function* gunzip(packed: Uint8Array): AsyncGenerator<Uint8Array, void> {
  const stream = createGunzip();
  stream.end(packed);
  const chunks = (stream as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await chunks.next().catch((cause: unknown) => {
        throw new ImagesError('TAR_INVALID', `it is not gzipped, or broken [${(cause as Error).message}]`, { cause });
      });
      if (next.done) return;
      yield next.value;
    }
  } finally {
    stream.destroy();
  }
}

function treeOf(archive: string, contents: ReadonlyMap<string, Uint8Array>, { mayMatter }: Clues): FileTree {
  const inside = (file: string): string => file.slice(archive.length + 1);
  const bytes = async (file: string): Promise<Uint8Array> => contents.get(inside(file)) ?? new Uint8Array();
  const read = async (file: string): Promise<string> => new TextDecoder().decode(await bytes(file));
  return {
    files: [...contents.keys()].map((name) => `${archive}!${name}`).sort(byBytes),
    broken: new Set(),
    has: (file) => contents.has(inside(file)),
    bytes,
    read,
    documents: async (file) => parseYaml(file, await read(file), mayMatter).documents,
  };
}

// A packed chart (`helm package`, `helm dependency build`): a gzipped tar with one directory, as files of a tree of its own.
// They are called `charts/x-1.0.tgz!x/templates/y.yaml`. Relies on tar/reader.ts and node:zlib.
import { createGunzip } from 'node:zlib';
import { ImagesError } from '../../oci/errors.ts';
import { byBytes } from '../byte-order.ts';
import type { FileTree } from '../contract.ts';
import { mayMatter } from '../may-matter.ts';
import { parseYaml } from '../yaml.ts';

/** Unpacked; Helm itself refuses more than 100 MiB. */
const MAX_UNPACKED = 64 << 20;
/** Helm's limit for a file of a chart; bigger ones hold nothing that a template makes an image of. */
const MAX_FILE = 5 << 20;
const MAX_ENTRIES = 10_000;

export interface PackedChart {
  readonly tree: FileTree;
  /** `charts/x-1.0.tgz!x` */
  readonly directory: string;
}

export function isPacked(file: string): boolean {
  return file.endsWith('.tgz');
}

/** Opens a packed chart; undefined for an archive of something else. Errors: TAR_INVALID for what is no archive, is too big, or breaks off. */
export async function openChartArchive(file: string, bytes: Uint8Array): Promise<PackedChart | undefined> {
  const contents = await unpacked(bytes);
  const top = [...contents.keys()].map((name) => /^([^/]+)\/Chart\.yaml$/.exec(name)?.[1]).find(Boolean);
  if (top === undefined) return undefined;
  return { tree: treeOf(file, contents), directory: `${file}!${top}` };
}

async function unpacked(packed: Uint8Array): Promise<ReadonlyMap<string, Uint8Array>> {
  // Packed charts are rare: other scans do not load what reads them.
  const { readTar } = await import('../../tar/reader.ts');
  const contents = new Map<string, Uint8Array>();
  let entries = 0;
  for await (const { name, type, size, body } of readTar(gunzip(packed))) {
    if (++entries > MAX_ENTRIES) throw new ImagesError('TAR_INVALID', `more than [${MAX_ENTRIES}] files`);
    if (type !== 'file' || size > MAX_FILE) continue;
    contents.set(name.replace(/^(?:\.\/)+/, ''), Buffer.concat(await Array.fromAsync(body)));
  }
  return contents;
}

/** Bounded in what comes out: a small archive can unfold to any size. */
async function* gunzip(packed: Uint8Array): AsyncGenerator<Uint8Array, void> {
  const stream = createGunzip();
  stream.end(packed);
  let length = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      length += chunk.length;
      if (length > MAX_UNPACKED)
        throw new ImagesError('TAR_INVALID', `it unpacks to more than [${MAX_UNPACKED >> 20}] MiB`);
      yield chunk;
    }
  } catch (cause) {
    if (cause instanceof ImagesError) throw cause;
    throw new ImagesError('TAR_INVALID', `it is not gzipped, or broken [${(cause as Error).message}]`, { cause });
  }
}

function treeOf(archive: string, contents: ReadonlyMap<string, Uint8Array>): FileTree {
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

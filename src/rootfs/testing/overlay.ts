// A layer in overlay form for tests: written as `make` writes it and read back, together with its tar-split.
import { addAll } from '../../oci/add-all.ts';
import type { TarHeader } from '../../tar/entry.ts';
import { readTar } from '../../tar/reader.ts';
import { endOfArchive } from '../../tar/writer.ts';
import type { Layer } from '../contract.ts';
import { indexLayer } from '../layer-index.ts';
import { NotPlain, type OverlayFacts, type OverlayFormOptions, overlayForm } from '../overlay-form.ts';
import { joinTarSplit, readTarSplit } from '../tar-split.ts';
import { tarSplitWriter } from '../tar-split-writer.ts';

export interface Formed {
  readonly facts: OverlayFacts;
  /** By path below the directory, in the order of the archive; content as text. */
  readonly files: ReadonlyMap<string, FormedFile>;
  readonly names: readonly string[];
  /** Restores the original archive. */
  rejoined(): Promise<Buffer>;
  /** Whether the plain shape was sufficient. */
  readonly plain: boolean;
}

export type FormedFile = TarHeader & { readonly content: Buffer };

export const DIRECTORY = 'overlay/ID/diff';

export async function formOf(
  layer: Layer,
  options: Partial<Pick<OverlayFormOptions, 'below' | 'userXattr' | 'rootBelow' | 'onlyDevices' | 'reshape'>> = {},
): Promise<Formed> {
  try {
    return await attempt(layer, options, true);
  } catch (error) {
    if (!(error instanceof NotPlain)) throw error;
    return await attempt(layer, { ...options, index: await indexLayer(layer) }, false);
  }
}

async function attempt(layer: Layer, options: Partial<OverlayFormOptions>, plain: boolean): Promise<Formed> {
  const packed: Uint8Array[] = [];
  const split = tarSplitWriter((chunk) => packed.push(chunk));
  const form = overlayForm(layer, { directory: DIRECTORY, below: [], ...options, split });
  const chunks: Uint8Array[] = [];
  let step = await form.next();
  for (; !step.done; step = await form.next()) addAll(chunks, step.value);
  chunks.push(endOfArchive());
  const files = new Map<string, FormedFile>();
  const names: string[] = [];
  for await (const entry of readTar(bytesOf(chunks))) {
    const content = Buffer.concat(await Array.fromAsync(entry.body));
    names.push(entry.name);
    files.set(entry.name.slice(DIRECTORY.length + 1), { ...entry, content });
  }
  const open = (name: string) => [contentAt(files, name)];
  return {
    facts: step.value,
    files,
    names,
    plain,
    rejoined: async () => Buffer.concat(await Array.fromAsync(joinTarSplit(readTarSplit(bytesOf(packed)), open))),
  };
}

/** Looks up a file like a reader of the store: cleans the name, follows hard links, does not follow symbolic links. */
function contentAt(files: ReadonlyMap<string, FormedFile>, name: string): Buffer {
  const path = name
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
  const file = files.get(path);
  if (file?.type === 'hardlink') return contentAt(files, file.linkname.slice(DIRECTORY.length + 1));
  if (file?.type !== 'file') throw new Error(`nothing at ${name}`);
  return file.content;
}

async function* bytesOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

// Finds what an image holds although no container sees it: private keys and secrets in files that a later layer deletes or replaces. Whoever pulls the image has them.
import type { CallOptions } from '../io/streams/bytes.ts';
import { addAll } from '../oci/add-all.ts';
import { applyLayers } from '../rootfs/apply-layers.ts';
import type { IndexedEntry } from '../rootfs/contract.ts';
import { layerFiles } from '../rootfs/layer-files.ts';
import { indexLayers } from '../rootfs/layer-index.ts';
import type { Inode } from '../rootfs/tree.ts';
import type { BuiltImage, BuiltLayer } from './request.ts';

export interface LeftSecret {
  /** Without a leading `/`. */
  readonly path: string;
  /** `a private key`, or the name of the secret. */
  readonly what: string;
  /** The instruction that made the layer with the file. */
  readonly instruction: string;
}

/** Larger files are not searched: they are no keys. */
const MAX_SIZE = 1 << 20;
/** Shorter secrets are not searched for: they occur in many files by chance. */
const MIN_SECRET = 6;
const PRIVATE_KEY = /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----/;

/** Searches only the layers that this build made. */
export async function leftSecrets(
  { layers }: Pick<BuiltImage, 'layers'>,
  secrets: ReadonlyMap<string, Uint8Array>,
  options: CallOptions = {},
): Promise<readonly LeftSecret[]> {
  if (layers.filter(({ isNew }) => isNew).length < 2) return [];
  const indexes = await indexLayers(
    layers.map(({ layer }) => layer),
    options,
  );
  const gone = new Map<Inode, string>();
  applyLayers(indexes, { watcher: { removed: (path, inode) => void (inode.links === 0 && gone.set(inode, path)) } });
  const found: LeftSecret[] = [];
  for (const [at, layer] of layers.entries()) {
    const suspects = layer.isNew ? [...gone].filter(([inode]) => inode.layer === at && isSuspect(inode.entry)) : [];
    if (suspects.length > 0) addAll(found, await search(layer, suspects, secrets, options));
  }
  return found;
}

function isSuspect(entry: IndexedEntry | undefined): boolean {
  return entry?.type === 'file' && entry.size > 0 && entry.size <= MAX_SIZE && !entry.sparse;
}

async function search(
  { layer, instruction }: BuiltLayer,
  suspects: readonly (readonly [Inode, string])[],
  secrets: ReadonlyMap<string, Uint8Array>,
  options: CallOptions,
): Promise<readonly LeftSecret[]> {
  const paths = new Map(suspects.map(([{ entry }, path]) => [entry as IndexedEntry, path]));
  const wanted = [...paths.keys()].sort((a, b) => a.position.body - b.position.body);
  const found: LeftSecret[] = [];
  let chunks: Uint8Array[] = [];
  for await (const portions of layerFiles(layer, wanted, options)) {
    for (const { file, bytes, begins, ends } of portions) {
      if (begins) chunks = [];
      chunks.push(bytes);
      const what = ends ? secretIn(Buffer.concat(chunks), secrets) : undefined;
      if (what !== undefined) found.push({ path: paths.get(file) ?? file.path, what, instruction });
    }
  }
  return found;
}

function secretIn(content: Buffer, secrets: ReadonlyMap<string, Uint8Array>): string | undefined {
  for (const [name, value] of secrets) {
    const trimmed = Buffer.from(Buffer.from(value).toString('latin1').trim(), 'latin1');
    if (trimmed.length >= MIN_SECRET && content.includes(trimmed)) return `the secret ${name}`;
  }
  return PRIVATE_KEY.test(content.toString('latin1')) ? 'a private key' : undefined;
}

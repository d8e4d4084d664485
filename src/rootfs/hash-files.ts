// Digests of file contents; each layer is read once.
import { createLimiter } from '../io/concurrency/limiter.ts';
import type { CallOptions } from '../io/streams/bytes.ts';
import { digester } from '../oci/digest.ts';
import { storedSize } from '../tar/writer.ts';
import type { IndexedEntry, Layer } from './contract.ts';
import { layerFiles } from './layer-files.ts';
import type { Inode } from './tree.ts';

const AT_A_TIME = 2;

/**
 * For each inode that is a file, a text that identifies its content: a sha256 of the stored bytes, with the positions of the holes. So two files that differ
 * only in their holes count as different, although they read the same.
 */
export async function hashFiles(
  layers: readonly Layer[],
  inodes: Iterable<Inode>,
  options: CallOptions = {},
): Promise<ReadonlyMap<Inode, string>> {
  const hashes = new Map<Inode, string>();
  const byLayer = new Map<number, Map<IndexedEntry, Inode>>();
  for (const inode of inodes) {
    const { entry, layer } = inode;
    if (entry?.type !== 'file') continue;
    if (storedSize(entry) === 0) hashes.set(inode, `${entry.size} zeros`);
    else byLayer.set(layer, (byLayer.get(layer) ?? new Map<IndexedEntry, Inode>()).set(entry, inode));
  }
  await createLimiter(AT_A_TIME).map(
    byLayer,
    async ([layer, files]) => {
      const sorted = [...files.keys()].sort((a, b) => a.position.body - b.position.body);
      let hash = digester('sha256');
      for await (const portions of layerFiles(layers[layer] as Layer, sorted, options)) {
        for (const { file, bytes, begins, ends } of portions) {
          if (begins) hash = digester('sha256').update(JSON.stringify(file.sparse ?? ''));
          hash.update(bytes);
          if (ends) hashes.set(files.get(file) as Inode, hash.digest('hex'));
        }
      }
    },
    options.signal,
  );
  return hashes;
}

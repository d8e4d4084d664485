// What a store has beside its layers: directories before them; records, manifests, configs and lock files after them.
import { directoryEntry, fileEntry } from '../store-entries.ts';
import { bigDataFile } from './store-records.ts';
import { bigDataOf, type ImageRecord, imagesJson, type LayerRecord, layersJson } from './written-records.ts';

/** The directories that lead to the store are accessible to everybody, its own only to root. */
export function storeDirectories(root: string): readonly Uint8Array[] {
  const parts = root.split('/').slice(0, -1);
  const above = parts.map((_, at) => parts.slice(0, at + 1).join('/'));
  const own = ['overlay', 'overlay-containers', 'overlay-images', 'overlay-layers'];
  return [
    ...(root === '' ? [directoryEntry('.', 0o700)] : []),
    ...above.map((path) => directoryEntry(path, `${path}/` === root ? 0o700 : 0o755)),
    ...own.map((name) => directoryEntry(`${root}${name}`, 0o700)),
    directoryEntry(`${root}overlay/l`, 0o755),
  ];
}

export function storeRecords(
  images: readonly ImageRecord[],
  layers: readonly LayerRecord[],
  root: string,
): readonly Uint8Array[] {
  const data = images.flatMap((image) => [
    directoryEntry(`${root}overlay-images/${image.id}`, 0o700),
    ...bigDataOf(image).flatMap(({ name, bytes }) =>
      fileEntry(`${root}overlay-images/${image.id}/${bigDataFile(name)}`, bytes, 0o600),
    ),
  ]);
  // A read-only store is refused without these lock files.
  const locks = ['overlay-containers/containers', 'overlay-images/images', 'overlay-layers/layers', 'storage'];
  return [
    ...data,
    ...fileEntry(`${root}overlay-layers/layers.json`, layersJson(layers), 0o600),
    ...fileEntry(`${root}overlay-images/images.json`, imagesJson(images), 0o600),
    ...locks.flatMap((name) => fileEntry(`${root}${name}.lock`, '', 0o644)),
  ];
}

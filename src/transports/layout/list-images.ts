// Lists all images of a layout, each as a source.
import type { Descriptor } from '../../oci/descriptor.ts';
import { isImagesError } from '../../oci/errors.ts';
import { decodeManifest } from '../../oci/manifest.ts';
import type { ContainedImage } from '../contract.ts';
import type { LayoutFiles } from './layout-files.ts';
import { IMAGE_NAME, isAttachedTag, namesOf } from './layout-index.ts';
import { layoutLists, layoutSource, readManifest } from './layout-source.ts';

/**
 * The images in the order of index.json: entries with a name, and entries without a name that do not belong to another image. Entries with the same name are
 * one image. Signatures are copied with their subjects. Errors: LOCATION_INVALID.
 */
export async function listLayoutImages(files: LayoutFiles): Promise<readonly ContainedImage[]> {
  const lists = layoutLists(files);
  const entries = await lists.entries();
  const named = new Set(entries.filter((entry) => namesOf(entry).length > 0).map(({ digest }) => digest));
  const images = new Map<string, ContainedImage>();
  for (const [at, entry] of entries.entries()) {
    const [name] = namesOf(entry);
    if (name === undefined) {
      if (named.has(entry.digest) || (await isPartOfOthers(files, entry, named))) continue;
      images.set(entry.digest, { names: [], at, source: () => layoutSource(files, { digest: entry.digest }, lists) });
      continue;
    }
    if (isAttachedTag(name)) continue;
    const wanted = images.has(`name ${name}`) ? { ref: name } : { digest: entry.digest };
    images.set(`name ${name}`, {
      names: [entry.annotations?.[IMAGE_NAME] ?? name],
      at,
      source: () => layoutSource(files, wanted, lists),
    });
  }
  return [...images.values()];
}

/** Whether an entry is a signature, or an index that only groups named ones. An entry that is missing or not a manifest counts as an image, which then fails. */
async function isPartOfOthers(files: LayoutFiles, entry: Descriptor, named: ReadonlySet<string>): Promise<boolean> {
  try {
    const manifest = decodeManifest(await readManifest(files, entry));
    if (manifest.subject) return true;
    return manifest.kind === 'index' && manifest.manifests.some(({ digest }) => named.has(digest));
  } catch (error) {
    if (isImagesError(error)) return false;
    throw error;
  }
}

// An image in an archive of an OCI layout as a source.
import type { ImageSource } from '../contract.ts';
import { layoutSource } from '../layout/layout-source.ts';
import type { LayoutPlace } from '../location.ts';
import { type OpenArchiveOptions, openArchive } from './archive-file.ts';

/** `oci-archive:FILE[:REF]`, plain or compressed. Disposing closes the archive. Errors: as `openArchive`, then as `layoutSource`. */
export async function openOciArchive(
  place: LayoutPlace,
  options: Omit<OpenArchiveOptions, 'label'>,
): Promise<ImageSource> {
  const archive = await openArchive(place.path, { ...options, label: `oci-archive:${place.path}` });
  return { ...layoutSource(archive, place), [Symbol.asyncDispose]: archive[Symbol.asyncDispose] };
}

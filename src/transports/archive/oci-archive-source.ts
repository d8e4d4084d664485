// An image in an archive of an OCI layout as a source.
import type { ImageSource } from '../contract.ts';
import type { LayoutLocation } from '../layout/layout-location.ts';
import { layoutSource } from '../layout/layout-source.ts';
import { type OpenArchiveOptions, openArchive } from './archive-file.ts';

/** Opens `oci-archive:FILE[:REF]`, plain or compressed. Disposing closes the archive. Errors: as `openArchive`, then as `layoutSource`. */
export async function openOciArchive(
  location: LayoutLocation,
  options: Omit<OpenArchiveOptions, 'label'>,
): Promise<ImageSource> {
  const archive = await openArchive(location.path, { ...options, label: `oci-archive:${location.path}` });
  return { ...layoutSource(archive, location), [Symbol.asyncDispose]: archive[Symbol.asyncDispose] };
}

// The names under which findOverlay finds the overlays in $XCLUSTER_OVLPATH: what completion offers.
import { readdir } from 'node:fs/promises';
import type { World } from '../settings.ts';

/** In order, without duplicates. Directories that cannot be read are left out. */
export async function overlayNames({ env }: Pick<World, 'env'>): Promise<readonly string[]> {
  const directories = (env.XCLUSTER_OVLPATH ?? '').split(':').filter(Boolean);
  const listed = await Promise.all(
    directories.map((directory) => readdir(directory, { withFileTypes: true }).catch(() => [])),
  );
  const names = listed.flat().filter((entry) => entry.isDirectory() || entry.isSymbolicLink());
  return [...new Set(names.map((entry) => entry.name))].sort();
}

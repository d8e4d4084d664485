// The names under which findOverlay finds the overlays in $XCLUSTER_OVLPATH: what completion offers.

import { readdir } from 'node:fs/promises';
import { checkArguments, OBJECT, objectWith } from '../../oci/arguments.ts';
import type { World } from '../settings.ts';

/** In order, without duplicates. Directories that cannot be read are left out. */
export async function overlayNames(world: Pick<World, 'env'>): Promise<readonly string[]> {
  checkArguments({ world: [world, objectWith({ env: OBJECT })] });
  const { env } = world;
  const directories = (env.XCLUSTER_OVLPATH ?? '').split(':').filter(Boolean);
  const listed = await Promise.all(
    directories.map((directory) => readdir(directory, { withFileTypes: true }).catch(() => [])),
  );
  const names = listed.flat().filter((entry) => entry.isDirectory() || entry.isSymbolicLink());
  return [...new Set(names.map((entry) => entry.name))].sort();
}

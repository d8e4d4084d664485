// Resolves an overlay argument: a file, a directory, or an overlay's name, which $XCLUSTER or $XCLUSTER_OVLPATH resolves.

import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { checkArguments, TEXT } from '../../oci/arguments.ts';
import { ImagesError } from '../../oci/errors.ts';
import { SETTINGS } from '../arguments.ts';
import type { TaskCall, World } from '../settings.ts';

export interface FoundOverlay {
  readonly kind: 'directory' | 'file';
  readonly path: string;
}

/** Resolves an argument: a file, a directory, or the name of an overlay that $XCLUSTER or $XCLUSTER_OVLPATH knows. Errors: OVERLAY_UNKNOWN. */
export async function findOverlay(item: string, settings: World & TaskCall): Promise<FoundOverlay> {
  checkArguments({ item: [item, TEXT], settings: [settings, SETTINGS] });
  const given = await pathKind(item);
  if (given) return { kind: given, path: item };
  const directory = await findOverlayDirectory(item, settings);
  if (directory !== undefined) return { kind: 'directory', path: directory };
  throw new ImagesError('OVERLAY_UNKNOWN', `no such overlay, directory or file [${item}]`, { hint: hintFor(settings) });
}

/** The directory of an overlay, by name: from `$XCLUSTER ovld` if $XCLUSTER is set, else from $XCLUSTER_OVLPATH. */
export async function findOverlayDirectory(name: string, settings: World & TaskCall): Promise<string | undefined> {
  if (name === '') return undefined;
  if (settings.env.XCLUSTER) {
    const { overlayFromXcluster } = await import('./xcluster.ts');
    const found = await overlayFromXcluster(name, settings);
    return found !== undefined && (await pathKind(found)) === 'directory' ? found : undefined;
  }
  for (const directory of (settings.env.XCLUSTER_OVLPATH ?? '').split(':').filter(Boolean)) {
    const candidate = resolve(join(directory, name));
    if ((await pathKind(candidate)) === 'directory') return candidate;
  }
  return undefined;
}

async function pathKind(path: string): Promise<'directory' | 'file' | undefined> {
  const info = await stat(path).catch(() => undefined);
  return info?.isDirectory() ? 'directory' : info?.isFile() ? 'file' : undefined;
}

function hintFor({ env }: World): string {
  if (env.XCLUSTER) return `\`${env.XCLUSTER} ovld NAME\` must know it: check XCLUSTER_OVLPATH.`;
  if (env.XCLUSTER_OVLPATH) return `Looked in XCLUSTER_OVLPATH [${env.XCLUSTER_OVLPATH}].`;
  return 'Set XCLUSTER or XCLUSTER_OVLPATH to find overlays by name, or give a directory.';
}

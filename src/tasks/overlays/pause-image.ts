// The pause image, which every pod needs and no manifest names: given by the user, or else by the overlay `crio` of xcluster.

import { join } from 'node:path';
import { checkArguments, orAbsent, TEXT } from '../../oci/arguments.ts';
import { SETTINGS } from '../arguments.ts';
import type { Settings, TaskCall, World } from '../settings.ts';
import { findOverlayDirectory } from './overlays.ts';
import { runCommand } from './run-command.ts';

/** The pause image: `given`, or else from the environment. Returns `undefined`, with a note, if neither names one. */
export async function pauseImage(given: string | undefined, settings: Settings): Promise<string | undefined> {
  checkArguments({ given: [given, orAbsent(TEXT)], settings: [settings, SETTINGS] });
  const image = given ?? (settings.env.IMAGES_PAUSE || undefined) ?? (await pauseImageOfCrio(settings));
  if (image === undefined) {
    settings.onNote?.('No pause image is added: give --pause=REF or set IMAGES_PAUSE.');
  }
  return image;
}

async function pauseImageOfCrio(settings: World & TaskCall): Promise<string | undefined> {
  if (!settings.env.XCLUSTER) return undefined;
  const directory = await findOverlayDirectory('crio', settings);
  if (directory === undefined) return undefined;
  const result = await runCommand(join(directory, 'crio.sh'), ['pause_image'], settings);
  if (result?.status !== 0) return undefined;
  const words = result.stdout.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('WARNING'));
  return words.at(-1)?.trim();
}

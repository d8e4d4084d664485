// The default output of `make`: `images.tar` and the like in xcluster's directory for temporary files.

import { join } from 'node:path';
import { checkArguments, TEXT } from '../../oci/arguments.ts';
import { ImagesError } from '../../oci/errors.ts';
import { SETTINGS } from '../arguments.ts';
import type { TaskCall, World } from '../settings.ts';

export type MakeFormat =
  | 'tar'
  | 'squashfs'
  | 'erofs'
  | 'containerd'
  | 'containerd-squashfs'
  | 'oci-archive'
  | 'docker-archive'
  | 'k3s';

export const MAKE_FORMATS: readonly MakeFormat[] = [
  'tar',
  'squashfs',
  'erofs',
  'containerd',
  'containerd-squashfs',
  'oci-archive',
  'docker-archive',
  'k3s',
];

const NAMES: Readonly<Record<MakeFormat, string>> = {
  tar: 'images.tar',
  squashfs: 'images.squashfs',
  erofs: 'images.erofs',
  containerd: 'images-containerd.tar',
  'containerd-squashfs': 'images-containerd.squashfs',
  'oci-archive': 'images-oci.tar',
  'docker-archive': 'images-docker.tar',
  k3s: 'images-k3s.tar.zst',
};

/** The default output path of `make`. Errors: USAGE if the environment does not name a directory. */
export async function makeOutput(format: MakeFormat, settings: World & TaskCall): Promise<string> {
  checkArguments({ format: [format, TEXT], settings: [settings, SETTINGS] });
  let directory = settings.env.XCLUSTER_TMP || undefined;
  if (directory === undefined && settings.env.XCLUSTER) {
    const { xclusterEnvironment } = await import('../overlays/xcluster.ts');
    directory = (await xclusterEnvironment(settings)).get('XCLUSTER_TMP') || undefined;
  }
  if (directory !== undefined) return join(directory, NAMES[format]);
  throw new ImagesError('USAGE', 'no file to write to is named', {
    hint: 'Give --tar=FILE, or set XCLUSTER_TMP.',
  });
}

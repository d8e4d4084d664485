// Images into the k3s of this machine: where it runs, into its containerd; else into the directory whose archives it imports when it starts.
import { createHash } from 'node:crypto';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { translatingFsErrors } from '../../io/files/fs-errors.ts';
import { ImagesError } from '../../oci/errors.ts';
import { machinePlatform } from '../../oci/machine-platform.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { type FullReference, formatReference } from '../../oci/reference.ts';
import { runCommand } from '../overlays/run-command.ts';
import type { Settings } from '../settings.ts';
import { k3sArchive } from './k3s-archive.ts';
import { type LoadEvents, type LoadedNode, loadNodes, requireName } from './load-nodes.ts';
import type { MakeItem } from './make-items.ts';
import { openImages } from './prepulled-store.ts';

/** k3s' --data-dir, and its directory of images in it. */
const DATA = '/var/lib/rancher/k3s';
const IMAGES = 'agent/images';
/** Of a file name, in bytes; what is written beside it first is longer. */
const LONGEST = 140;

/**
 * With `directory`, the data directory of a k3s, archives are put there, and k3s is not asked. Errors: NO_ACCESS (this is not root), NOT_RUNNING (there is no k3s),
 * those of `loadNodes` and of the output.
 */
export async function loadK3s(
  items: readonly MakeItem[],
  directory: string | undefined,
  settings: Settings,
  events: LoadEvents,
): Promise<readonly LoadedNode[]> {
  if (directory === undefined) {
    if (settings.uid !== 0) {
      throw new ImagesError('NO_ACCESS', 'k3s takes images from root only', { hint: 'Run it with sudo.' });
    }
    const running = await runCommand('k3s', ['ctr', 'version'], settings);
    if (running?.status === 0) {
      return await loadNodes(items, [{ name: 'k3s', exec: [], ctr: ['k3s', 'ctr'] }], settings, events);
    }
  }
  const data = directory ?? DATA;
  if (!(await stat(data).catch(() => undefined))?.isDirectory()) {
    throw new ImagesError('NOT_RUNNING', `there is no k3s here [${data}]`, {
      hint: 'With another --data-dir: --k3s=DIR. For a new node: `images make --format=k3s`.',
    });
  }
  return [await intoDirectory(items, join(data, IMAGES), settings, events)];
}

/**
 * An archive for each image: k3s imports all that are there, in no promised order, and with two that have the same name, the older could win. So an image that
 * comes again takes the place of its own.
 */
async function intoDirectory(
  items: readonly MakeItem[],
  directory: string,
  settings: Settings,
  { onEvent, onSending, onNode }: LoadEvents,
): Promise<LoadedNode> {
  const platform = machinePlatform();
  const options = { platform, ...(onEvent && { onEvent }) };
  await using opened = await openImages(items, settings, options);
  const images = opened.images.map(requireName);
  await translatingFsErrors(directory, () => mkdir(directory, { recursive: true, mode: 0o755 }));
  onSending?.(directory, images.length);
  for (const image of images) {
    const target = { path: join(directory, archiveName(image.name)), send: async () => {} };
    await k3sArchive([image], target, settings, options);
  }
  const loaded = images.map(({ name }) => formatReference(name));
  const node = { node: directory, platform: formatPlatform(platform), loaded, alreadyThere: [] };
  onNode?.(node);
  return node;
}

/** No reference has a `+`, but for algorithms of digests that nobody uses. */
function archiveName(name: FullReference): string {
  const text = formatReference(name).replaceAll('/', '+');
  if (text.length <= LONGEST) return `${text}.tar.zst`;
  const rest = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return `${text.slice(0, LONGEST)}-${rest}.tar.zst`;
}

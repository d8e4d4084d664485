// The form of overlayfs without extended attributes: what an opaque directory hides gets a whiteout for each name, which every tar can unpack. Relies on the
// names that the layers below show, so a whiteout over nothing is left out: without a layer below it would be seen as a device.
import type { TarHeader } from '../tar/entry.ts';
import { compareNames } from '../tar/names.ts';
import { storedSize } from '../tar/writer.ts';
import { type LayerDirectory, layerNames, type ShownBelow, type ShownDirectory } from './layer-names.ts';
import { type OverlayOptions, whiteoutHeader } from './overlay-header.ts';
import type { LaterEntry, OverlayShape } from './overlay-shape.ts';
import { joinPath, parentPath } from './path.ts';
import { whiteoutOf } from './whiteout.ts';

export interface DeviceShape extends OverlayShape {
  /** Complete after `rest`. */
  readonly root: LayerDirectory;
  /** What the layer takes on a disk. */
  usage(): { readonly inodes: number; readonly size: number };
}

/** In bytes: of a file system. */
const BLOCK = 4096;
/** containerd makes the root of a layer so. */
const ROOT_MODE = 0o755;

/** `options` have `onlyDevices`. */
export function deviceShape(shape: OverlayShape, below: ShownBelow, options: OverlayOptions): DeviceShape {
  const names = layerNames();
  let inodes = 0;
  let size = 0;
  const count = (header: TarHeader): void => {
    if (header.type !== 'hardlink') inodes++;
    const bytes = header.type === 'directory' ? BLOCK : storedSize(header);
    size += Math.ceil(bytes / BLOCK) * BLOCK;
  };
  const prefix = options.directory.length + 1;
  /** Of headers as `add` gets them: nothing has another name than its own. */
  const note = (header: TarHeader, path: string): TarHeader => {
    names.add(path, header);
    count(header);
    return header;
  };
  return {
    root: names.root,
    lowerLinks: shape.lowerLinks,
    usage: () => ({ inodes, size }),
    add(entry) {
      const { headers, findable } = shape.add(entry);
      const pathOf = ({ name }: TarHeader) => name.slice(prefix);
      const isWhiteout = headers.length > 0 && whiteoutOf(entry.path) !== undefined;
      const kept = isWhiteout ? headers.filter((header) => below.at(pathOf(header)) !== undefined) : headers;
      for (const header of kept) note(header, pathOf(header));
      return { headers: kept, findable };
    },
    *rest() {
      for (const { paths, header } of shape.lowerLinks) {
        for (const path of paths) names.add(path, { ...header, type: 'file' });
        inodes++;
      }
      const all = [...shape.rest()];
      for (const { path, header, directory } of all) if (directory) names.add(path, header);
      const vain = new Set<string>();
      for (const { path, directory } of all.toReversed()) {
        if (!directory?.isImplied || !isVain(path, names.at(path), below)) continue;
        vain.add(path);
        names.remove(path);
      }
      const later = all.filter(({ path }) => !vain.has(path));
      const opaque = new Set<string>();
      for (const { path, header, directory } of later) {
        if (directory?.opaque || (directory && path !== '' && opaque.has(parentPath(path)))) opaque.add(path);
        if (!directory && below.at(path) !== undefined) yield { path, header: note(header, path) };
      }
      for (const path of opaque) {
        for (const hidden of hiddenIn(path, names.at(path), below.at(path))) {
          yield { path: hidden, header: note(whiteoutHeader(hidden, undefined, options), hidden) };
        }
      }
      for (const one of later) if (one.directory) yield described(one, opaque);
    },
  };

  function described(one: LaterEntry, opaque: ReadonlySet<string>): LaterEntry {
    const isHidden = one.path !== '' && opaque.has(parentPath(one.path));
    const found = one.directory?.isImplied && !isHidden ? below.at(one.path) : undefined;
    const shown = typeof found === 'object' ? found.attributes : undefined;
    const isBare = one.directory?.isImplied && one.path === '' && !shown;
    const header = { ...one.header, ...shown, ...(isBare && { mode: ROOT_MODE, uid: 0, gid: 0 }) };
    return { ...one, header: note(header, one.path) };
  }
}

/** The names that an opaque directory hides and the layer has nothing for. Directories in it are opaque themselves. */
function hiddenIn(
  path: string,
  own: ReturnType<ReturnType<typeof layerNames>['at']>,
  below: ShownDirectory | 'other' | undefined,
): readonly string[] {
  if (typeof own !== 'object' || typeof below !== 'object') return [];
  const hidden = [...below.names()].filter((name) => !own.names.has(name));
  return hidden.sort(compareNames).map((name) => joinPath(path, name));
}

/** Whether an empty directory, which is only there for a whiteout that hides nothing, would hide what is no directory. */
function isVain(path: string, own: ReturnType<ReturnType<typeof layerNames>['at']>, below: ShownBelow): boolean {
  if (path === '' || typeof own !== 'object' || own.names.size > 0) return false;
  for (let at = path; at !== ''; at = parentPath(at)) {
    const shown = below.at(at);
    if (shown !== undefined) return shown === 'other';
  }
  return false;
}

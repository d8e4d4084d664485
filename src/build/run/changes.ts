// Converts overlayfs' upper directory to the tar archive of a layer (OCI image specification 1.1, layer.md): whiteouts and opaque directories become names;
// overlayfs' own attributes and the mount points are omitted.
import { ImagesError } from '../../oci/errors.ts';
import { cleanPath, joinPath, parentPath } from '../../rootfs/path.ts';
import { headerOf, type RootTree, type TreeNode } from '../../rootfs/tree.ts';
import type { TarEntry, TarHeader } from '../../tar/entry.ts';
import { printableName } from '../../tar/names.ts';
import { readTar } from '../../tar/reader.ts';
import { type TarInput, writeTar } from '../../tar/writer.ts';
import type { RunUser } from '../contract.ts';
import { exactNode } from './exact-node.ts';
import type { Ids } from './ids.ts';
import { emptyHeader, type MountPoint } from './mount-points.ts';
import { imageAttributes, isOpaque } from './overlay-attributes.ts';

export interface Before {
  /** The file system that the command saw. */
  readonly tree: RootTree;
  readonly mountPoints: readonly MountPoint[];
  readonly ids: Ids;
  readonly user: RunUser;
}

/** `upper` is an archive of the upper directory, parents first. `gone` are deleted paths for which there are no whiteouts. */
export function layerOfChanges(
  upper: AsyncIterable<Uint8Array>,
  before: Before,
  gone: readonly string[] = [],
): AsyncIterable<Uint8Array> {
  return writeTar(changed(upper, before, gone));
}

async function* changed(
  upper: AsyncIterable<Uint8Array>,
  before: Before,
  gone: readonly string[],
): AsyncGenerator<TarInput> {
  const mounts = new Set(before.mountPoints.map(({ path }) => path));
  for await (const entry of readTar(upper, { tail: () => {} })) {
    const path = cleanPath(entry.name);
    const known = exactNode(before.tree, path);
    if (path === '') {
      if (known && differs(entry, headerOf(known))) yield plain(entry, { name: './', known, before });
    } else if (isWhiteout(entry)) {
      if (known) yield whiteout(path);
    } else if (!mounts.has(path) || known) yield* added(entry, { path, known, before });
  }
  for (const path of gone) yield whiteout(path);
}

interface ChangedPath {
  readonly path: string;
  readonly known: TreeNode | undefined;
  readonly before: Before;
}

function* added(entry: TarEntry, { path, known, before }: ChangedPath): Generator<TarInput> {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (name.startsWith('.wh.')) {
    throw new ImagesError('BUILD_FAILED', `no layer can hold a file of this name [/${printableName(path)}]`, {
      hint: 'In a layer, .wh. at the beginning of a name deletes: remove the file in the same RUN.',
    });
  }
  const isDirectory = entry.type === 'directory';
  yield plain(entry, { name: isDirectory ? `${path}/` : path, known, before });
  if (isDirectory && isOpaque(entry.xattrs) && known?.children && known.children.size > 0) {
    yield { ...emptyHeader(`${path}/.wh..wh..opq`, 'file', 0), mtime: entry.mtime };
  }
}

interface Naming {
  readonly name: string;
  readonly known: TreeNode | undefined;
  readonly before: Before;
}

function plain(entry: TarEntry, { name, known, before }: Naming): TarInput {
  const { type, size, mode, mtime, device, body } = entry;
  const linkname = type === 'hardlink' ? cleanPath(entry.linkname) : entry.linkname;
  // The attributes in a hard link's header apply to the file, so they must equal those in the file's own header.
  const owner = ownerOf(entry, type === 'hardlink' ? exactNode(before.tree, linkname) : known, before);
  const header = { name, type, size, mode, mtime, linkname, device, ...owner, xattrs: imageAttributes(entry.xattrs) };
  return type === 'file' ? { ...header, body } : header;
}

/** With a single owner, a file that existed before keeps its owner in the image, and a new one gets the user that the command was to run as. */
function ownerOf(entry: TarEntry, known: TreeNode | undefined, { ids, user }: Before): Pick<TarHeader, 'uid' | 'gid'> {
  if (ids.owners !== 'one') return { uid: entry.uid, gid: entry.gid };
  const { uid, gid, type } = known ? headerOf(known) : { ...user, type: entry.type };
  return type === entry.type || (entry.type === 'hardlink' && type !== 'directory')
    ? { uid, gid }
    : { uid: user.uid, gid: user.gid };
}

/** Whether the attributes of the root directory changed. Its times are ignored: they only follow its content. */
function differs(after: TarHeader, before: TarHeader): boolean {
  return after.mode !== before.mode || after.uid !== before.uid || after.gid !== before.gid;
}

function isWhiteout({ type, device }: TarHeader): boolean {
  return type === 'character' && device.major === 0 && device.minor === 0;
}

function whiteout(path: string): TarInput {
  return emptyHeader(joinPath(parentPath(path), `.wh.${path.slice(path.lastIndexOf('/') + 1)}`), 'file', 0);
}

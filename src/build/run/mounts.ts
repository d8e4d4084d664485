// Prepares the mounts of a RUN: for each mount its files, the shell commands that mount it, and the resources to release afterwards.
import { join } from 'node:path';
import type { CallOptions } from '../../io/streams/bytes.ts';
import { ImagesError } from '../../oci/errors.ts';
import { applyLayers } from '../../rootfs/apply-layers.ts';
import { findPath } from '../../rootfs/tree.ts';
import { printableName } from '../../tar/names.ts';
import type { RunMount } from '../contract.ts';
import { cacheKey, type MountedCache } from './caches.ts';
import { isMapped } from './ids.ts';
import type { StageLayers } from './layer-archive.ts';
import type { MemoryFile } from './memory-archive.ts';
import type { MountKind } from './mount-points.ts';
import type { RunDirectory } from './run-directory.ts';
import { command, quoted } from './shell.ts';
import { proxyAgent } from './ssh-proxy.ts';
import { steps } from './supervisor.ts';
import type { RootUnpacking } from './unpack.ts';

export interface PreparedMount {
  readonly target: string;
  readonly kind: MountKind;
  readonly files: readonly MemoryFile[];
  /** Shell commands that mount it at `path` of the root file system. */
  lines(path: string): readonly string[];
}

export interface Mounting {
  readonly unpacking: RootUnpacking;
  readonly run: RunDirectory;
  /** Resources to release are added here. */
  readonly held: AsyncDisposable[];
  readonly caches: ReadonlyMap<string, MountedCache>;
  indexed(layers: StageLayers['layers'], options: CallOptions): Promise<StageLayers>;
  /** Shell commands that mount these layers at a directory of the RUN. */
  mountLayers(stage: StageLayers, at: string, writable: boolean, options: CallOptions): Promise<readonly string[]>;
}

/** `at` is a number that is unique among the mounts of one RUN. Errors: PATH_UNKNOWN, those of layers. */
export async function prepareMount(
  mount: RunMount,
  at: number,
  mounting: Mounting,
  options: CallOptions,
): Promise<PreparedMount> {
  const { target } = mount;
  switch (mount.type) {
    case 'tmpfs': {
      const size = mount.size === undefined ? '' : `,size=${mount.size}`;
      const mounted = `mount -t tmpfs -o mode=1777,nosuid,nodev${size} tmpfs .; cd "$run"`;
      return { target, kind: 'directory', files: [], lines: (path) => [`go ${steps('m', path)}; ${mounted}`] };
    }
    case 'file': {
      const file = { name: `files/${at}`, content: mount.content, mode: mount.mode, ...owner(mount, mounting) };
      return { target, kind: 'file', files: [file], lines: (path) => ontoFile(`t/files/${at}`, path, true) };
    }
    case 'ssh': {
      const socket = `ssh-${at}`;
      mounting.held.push(await proxyAgent(mounting.run.directory, socket, mount.socket));
      const { uid, gid } = owner(mount, mounting);
      const own = `chmod ${mount.mode.toString(8)} ${socket}; chown ${uid}:${gid} ${socket}`;
      return { target, kind: 'file', files: [], lines: (path) => [own, ...ontoFile(socket, path, false)] };
    }
    case 'cache': {
      const name = mounting.caches.get(cacheKey(mount))?.name ?? '';
      const directory = await mounting.run.link('caches', name);
      const inside = `cache-${at}`;
      // In a user namespace there are no devices, and the flags of an existing mount may not be changed.
      const nodev = mounting.unpacking.ids.inUserNamespace ? '' : ',nodev';
      const enter = `mkdir ${inside}; go ${steps(`${directory}/fs`, mount.source)}; mount -c -o bind${nodev} . "$run/${inside}"; cd "$run"`;
      return {
        target,
        kind: 'directory',
        files: [],
        lines: (path) => [enter, ...ontoDirectory(inside, path, mount.readOnly)],
      };
    }
    case 'bind': {
      const stage = await mounting.indexed(mount.layers, options);
      const found = findPath(applyLayers(stage.indexes), mount.source, { follow: true });
      if (!found)
        throw new ImagesError('PATH_UNKNOWN', `what is to be mounted is not there [${printableName(mount.source)}]`);
      const root = `bind-${at}`;
      const mounted = await mounting.mountLayers(stage, root, !mount.readOnly, options);
      const kind = found.node.children ? 'directory' : 'file';
      const onto = kind === 'directory' ? ontoDirectory : ontoFile;
      return {
        target,
        kind,
        files: [],
        lines: (path) => [...mounted, ...onto(join(root, found.path), path, mount.readOnly)],
      };
    }
  }
}

/** Ids that files cannot have here become root. */
function owner(
  mount: { readonly uid: number; readonly gid: number },
  { unpacking: { ids } }: Mounting,
): { uid: number; gid: number } {
  return { uid: isMapped(ids.uids, mount.uid) ? mount.uid : 0, gid: isMapped(ids.gids, mount.gid) ? mount.gid : 0 };
}

export function ontoDirectory(source: string, path: string, readOnly: boolean): readonly string[] {
  return [
    `onto_directory "$run"/${quoted(source)} ${steps('m', path)}`,
    ...(readOnly ? [command('read_only', `m/${path}`)] : []),
  ];
}

export function ontoFile(source: string, path: string, readOnly: boolean): readonly string[] {
  const slash = path.lastIndexOf('/');
  const name = quoted(path.slice(slash + 1));
  const mounted = `onto_file "$run"/${quoted(source)} ${name} ${steps('m', path.slice(0, Math.max(slash, 0)))}`;
  return [mounted, ...(readOnly ? [command('read_only', `m/${path}`)] : [])];
}

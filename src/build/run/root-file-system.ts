// The root file system of a RUN: layers are mounted with overlayfs or, if that is not available, copied into one directory that is compared afterwards.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CallOptions } from '../../io/streams/bytes.ts';
import { headerOf, type RootTree } from '../../rootfs/tree.ts';
import type { TarHeader } from '../../tar/entry.ts';
import { type Before, layerOfChanges } from './changes.ts';
import { collected } from './collect.ts';
import { changedSince, LIST } from './compare.ts';
import { exactNode } from './exact-node.ts';
import type { Ids } from './ids.ts';
import { type StageLayers, treeArchive } from './layer-archive.ts';
import { isGone, type RunDirectory } from './run-directory.ts';
import { provideSnapshots } from './snapshots.ts';
import { type RootUnpacking, unpackRootFileSystem } from './unpack.ts';

export interface RootFileSystem {
  /** Shell commands that make it available at `m`. */
  readonly lines: readonly string[];
  /** The changes that the command made, as a layer. */
  changes(before: Before): AsyncIterable<Uint8Array>;
}

export interface RootRequest {
  readonly stage: StageLayers;
  readonly tree: RootTree;
  /** The lowest layer, in `t/stubs`: missing mount points. */
  readonly stubs: readonly TarHeader[];
}

export interface RootContext {
  readonly unpacking: RootUnpacking;
  readonly run: RunDirectory;
}

/** In order of preference. `plain` requires nothing of the kernel but overlayfs. */
export type OverlayMode = 'volatile' | 'plain';

export function overlayOptions(ids: Ids, mode: OverlayMode): string {
  // Renamed directories are copied and not redirected, so that the upper directory is a complete layer.
  const format = ids.inUserNamespace ? 'userxattr' : 'index=off,redirect_dir=off,metacopy=off';
  // The upper directory is read once and removed, so nothing has to be synced to a disk.
  return mode === 'volatile' ? `${format},volatile` : format;
}

export async function overlayRoot(
  request: RootRequest,
  { unpacking, run }: RootContext,
  mode: OverlayMode,
  options: CallOptions,
): Promise<RootFileSystem> {
  const links = await linkedSnapshots(request.stage, { unpacking, run }, options);
  const lowers = [...(request.stubs.length > 0 || links.length === 0 ? ['t/stubs'] : []), ...links];
  const { mode: permissions, uid, gid } = headerOf(request.tree.root);
  const mount = `mount -t overlay -o lowerdir=${lowers.join(':')},upperdir=u,workdir=w,${overlayOptions(unpacking.ids, mode)} images m`;
  return {
    lines: [
      'mkdir u w m',
      ...(unpacking.ids.owners === 'one' ? [] : [`chown ${uid}:${gid} u`]),
      `chmod ${permissions.toString(8)} u`,
      mount,
    ],
    changes: (before) => layerOfChanges(collected(join(run.directory, 'u'), unpacking.namespaces), before),
  };
}

/** The top layer first, as overlayfs expects them. */
export async function linkedSnapshots(
  stage: StageLayers,
  { unpacking, run }: RootContext,
  options: CallOptions,
): Promise<readonly string[]> {
  for (let attempt = 0; ; attempt++) {
    const names = await provideSnapshots(stage, unpacking, options);
    // The clean-up checks the links under the same lock.
    await using _ = await unpacking.runnerDirectory.lock('use', options);
    try {
      const links: string[] = [];
      for (const name of names) links.push(join(await run.link('snapshots', name), 'fs'));
      return links.reverse();
    } catch (error) {
      if (!isGone(error) || attempt === 3) throw error;
    }
  }
}

export async function copiedRoot(
  { stage, tree }: RootRequest,
  { unpacking, run }: RootContext,
  options: CallOptions,
): Promise<RootFileSystem> {
  const archive = treeArchive(tree, stage, unpacking.ids);
  if (stage.layers.length > 0) await unpackRootFileSystem(archive, run.directory, unpacking, options);
  else await mkdir(join(run.directory, 'fs'));
  return {
    lines: ['mkdir m', '[ ! -d t/stubs ] || cp -a t/stubs/. fs/', `(cd fs; ${LIST}) >before`, 'mount -o bind fs m'],
    async *changes(before) {
      const { changed, gone } = await changedSince(run.directory, unpacking.namespaces);
      const names = [Buffer.from(changed.map((name) => `./${name}\0`).join(''), 'latin1')];
      const known = gone
        .map((name) => Buffer.from(name, 'latin1').toString())
        .filter((path) => exactNode(before.tree, path));
      yield* layerOfChanges(collected(join(run.directory, 'fs'), unpacking.namespaces, names), before, known);
    },
  };
}

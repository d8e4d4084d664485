// Prepares all that a RUN needs before its command starts, as shell commands and files: root file system, devices, mounts, name resolution.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CallOptions } from '../../io/streams/bytes.ts';
import { applyLayers } from '../../rootfs/apply-layers.ts';
import type { RootTree } from '../../rootfs/tree.ts';
import type { RunRequest } from '../contract.ts';
import { provideCaches } from './caches.ts';
import type { RunnerSettings } from './contract.ts';
import { mountDevices, mountSys } from './devices.ts';
import { isMapped } from './ids.ts';
import type { Prepared } from './launch.ts';
import { type StageLayers, treeArchive } from './layer-archive.ts';
import type { MemoryFile } from './memory-archive.ts';
import { emptyHeader, type MountPoint, missingMountPoints, mountPoint } from './mount-points.ts';
import { type Mounting, ontoFile, type PreparedMount, prepareMount } from './mounts.ts';
import type { PrivateNetwork } from './private-network.ts';
import type { Ability } from './probe.ts';
import {
  copiedRoot,
  linkedSnapshots,
  overlayOptions,
  overlayRoot,
  type RootContext,
  type RootFileSystem,
} from './root-file-system.ts';
import { steps } from './supervisor.ts';
import { unpackRootFileSystem } from './unpack.ts';

export interface Preparing extends RootContext {
  readonly ability: Ability;
  readonly settings: RunnerSettings;
  readonly held: AsyncDisposable[];
  readonly network: PrivateNetwork | undefined;
  indexed(layers: StageLayers['layers'], options: CallOptions): Promise<StageLayers>;
}

export interface PreparedRun extends Prepared {
  readonly tree: RootTree;
  readonly root: RootFileSystem;
  readonly mountPoints: readonly MountPoint[];
}

const SHM_SIZE = 64 << 20;
/** The most layers that are mounted. More are copied, because the options of a mount must fit into one page. */
const MOST_MOUNTED = 200;

/** Errors: those of layers and of mounts. */
export async function prepareRun(
  request: RunRequest,
  preparing: Preparing,
  options: CallOptions,
): Promise<PreparedRun> {
  const { ability, settings, unpacking, run, network } = preparing;
  const stage = await preparing.indexed(request.layers, options);
  const tree = applyLayers(stage.indexes);
  const mounts: PreparedMount[] = [];
  const wanted = request.mounts.filter((mount) => mount.type === 'cache');
  const caches = await provideCaches(wanted, preparing.held, unpacking, options);
  for (const [at, mount] of request.mounts.entries()) {
    mounts.push(await prepareMount(mount, at, mountingOf(preparing, caches), options));
  }
  const found = [...(await nameResolution(settings, network)), ...mounts]
    .map((mount) => ({ mount, point: mountPoint(tree, mount.target, mount.kind) }))
    .sort((a, b) => depth(a.point) - depth(b.point));
  const always = ['proc', 'sys', 'dev'].map((path) => mountPoint(tree, path, 'directory'));
  const mountPoints = [...always, ...found.map(({ point }) => point)];
  const stubs = missingMountPoints(tree, mountPoints);
  const context = { unpacking, run };
  const asked = { stage, tree, stubs };
  const root =
    ability.overlay && stage.layers.length <= MOST_MOUNTED
      ? await overlayRoot(asked, context, ability.overlay, options)
      : await copiedRoot(asked, context, options);
  const [, sys, dev] = always;
  return {
    tree,
    root,
    mountPoints,
    network,
    lines: [
      ...root.lines,
      ...mountDevices({ shmSize: settings.shmSize ?? SHM_SIZE, groups: isMapped(ability.ids.gids, 5) }),
      `mount -o rbind t/dev m/${dev?.path}`,
      ...mountSys(`m/${sys?.path}`, ability.ids.enter === 'directly' && !ability.ids.inUserNamespace),
      ...found.flatMap(({ mount, point }) => mount.lines(point.path)),
      `go ${steps('m', mountPointOf(tree, request.directory))}`,
    ],
    files: found.flatMap(({ mount }) => mount.files),
    headers: [
      emptyHeader('files/', 'directory', 0o700),
      emptyHeader('stubs/', 'directory'),
      ...stubs.map((header) => ({ ...header, name: `stubs/${header.name}` })),
    ],
  };
}

/** The path of the working directory, with links resolved. Missing directories are created on start. */
function mountPointOf(tree: RootTree, directory: string): string {
  return directory === '/' ? '' : mountPoint(tree, directory, 'directory').path;
}

function depth({ path }: MountPoint): number {
  return path.split('/').length;
}

/** /etc/resolv.conf and /etc/hosts, by default from the machine. What the command writes there is discarded. */
async function nameResolution(
  settings: RunnerSettings,
  network: PrivateNetwork | undefined,
): Promise<readonly PreparedMount[]> {
  const [resolvConf, hosts] = await Promise.all([
    settings.resolvConf ?? ofTheMachine('/etc/resolv.conf'),
    settings.hosts ?? ofTheMachine('/etc/hosts'),
  ]);
  const own = `${hosts.replace(/\n?$/, '\n')}127.0.0.1\t${hostnameOf(settings)}\n`;
  const asked = network ? asking(network.nameserver, resolvConf) : resolvConf;
  return [fileMount('/etc/resolv.conf', asked), fileMount('/etc/hosts', own)];
}

/** The text of resolv.conf with another name server, but the same domains and options. */
function asking(nameserver: string, resolvConf: string): string {
  const others = resolvConf.split('\n').filter((line) => line !== '' && !/^\s*nameserver\b/.test(line));
  return [`nameserver ${nameserver}`, ...others, ''].join('\n');
}

export function hostnameOf({ hostname }: RunnerSettings): string {
  return hostname ?? 'buildkitsandbox';
}

async function ofTheMachine(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

function fileMount(target: string, content: string): PreparedMount {
  const name = `files/${target.slice(target.lastIndexOf('/') + 1)}`;
  const file: MemoryFile = { name, content, mode: 0o644 };
  return { target, kind: 'file', files: [file], lines: (path) => ontoFile(`t/${name}`, path, false) };
}

function mountingOf(preparing: Preparing, caches: Mounting['caches']): Mounting {
  const { unpacking, run, held, ability } = preparing;
  return {
    unpacking,
    run,
    held,
    caches,
    indexed: preparing.indexed,
    async mountLayers(stage, at, writable, options) {
      if (!ability.overlay) {
        const copy = join(run.directory, `${at}.copy`);
        await unpackRootFileSystem(
          treeArchive(applyLayers(stage.indexes), stage, unpacking.ids),
          copy,
          unpacking,
          options,
        );
        return [`mkdir ${at}`, `mount -o bind ${at}.copy/fs ${at}`];
      }
      // An empty directory at the end, because overlayfs requires two lower directories if there is no upper one.
      const lowers = [...(await linkedSnapshots(stage, { unpacking, run }, options)), `${at}.empty`].join(':');
      const upper = writable ? `upperdir=${at}.u,workdir=${at}.w,` : '';
      const how = overlayOptions(ability.ids, writable ? ability.overlay : 'plain');
      const mount = `mount -t overlay -o lowerdir=${lowers},${upper}${how} images ${at}`;
      return [`mkdir ${at} ${at}.empty ${at}.u ${at}.w`, mount];
    },
  };
}

// Finds a store: the one that was named, or the user's default (containers-storage.conf(5)). Its driver must be overlay.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isFsError } from '../../io/files/fs-errors.ts';
import { readTomlFile } from '../../io/files/read-config-file.ts';
import { userDirectory } from '../../io/files/user-directories.ts';
import { isObject } from '../../oci/decode.ts';
import { ImagesError } from '../../oci/errors.ts';
import { directoryFiles } from './directory-files.ts';
import type { StoreSpec } from './storage-location.ts';
import type { StoreFiles } from './store-files.ts';

export interface StoreSettings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string | undefined;
  readonly uid: number;
  /** The directory for the uncompressed form of a compressed archive. */
  readonly temporaryDirectory: string;
}

/** The path of a store in a directory tree that is unpacked on `/`. */
const BELOW = 'var/lib/containers/storage';
const DRIVERS: readonly string[] = ['overlay', 'overlay2'];

/**
 * Opens a containers-storage store: a directory, or a tar of one. If `spec` is absent, podman's default store. Errors: FILE_UNREADABLE (it does not exist),
 * UNSUPPORTED (another driver), CONFIG_INVALID, TAR_INVALID, COMPRESSION_INVALID, NO_SPACE.
 */
export async function openStore(spec: StoreSpec | undefined, settings: StoreSettings): Promise<StoreFiles> {
  const { root, driver } = spec ?? (await defaultStore(settings));
  if (driver !== undefined && !DRIVERS.includes(driver)) throw otherDriver(driver, root);
  const info = await stat(root).catch(() => undefined);
  if (info?.isDirectory()) return directoryFiles(await graphRootIn(root));
  if (info) {
    const { tarFiles } = await import('./tar-files.ts');
    return await tarFiles(root, settings.temporaryDirectory);
  }
  throw new ImagesError('FILE_UNREADABLE', `there is no containers-storage store [${root}]`, {
    hint: spec
      ? 'Name its graph root, or a tar archive of it.'
      : 'Name another: containers-storage:[overlay@/path]NAME.',
  });
}

async function graphRootIn(directory: string): Promise<string> {
  for (const root of [directory, join(directory, BELOW)]) {
    if (await isThere(join(root, 'overlay-images'))) return root;
  }
  const vfs = [directory, join(directory, BELOW)].map((root) => join(root, 'vfs-images'));
  if ((await Promise.all(vfs.map(isThere))).includes(true)) throw otherDriver('vfs', directory);
  throw new ImagesError('FILE_UNREADABLE', `there is no containers-storage store in it [${directory}]`, {
    hint: `A graph root holds overlay-images; a tree holds one at ${BELOW}.`,
  });
}

function otherDriver(driver: string, root: string): ImagesError {
  return new ImagesError('UNSUPPORTED', `a store of the driver ${driver} is not supported [${root}]`, {
    hint: 'Only stores of the driver overlay are read: copy the image into one with skopeo or podman.',
  });
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isFsError(error, 'ENOENT', 'ENOTDIR')) return false;
    throw new ImagesError('NO_ACCESS', `permission denied [${path}]`, {
      hint: 'Run it as root, or name a store of your own.',
      cause: error,
    });
  }
}

interface Store {
  readonly root: string;
  readonly driver?: string;
}

/** The default store. Path and configuration differ for root and other users. */
async function defaultStore(settings: StoreSettings): Promise<Store> {
  const { env, home, uid } = settings;
  const configs = userDirectory('XDG_CONFIG_HOME', settings);
  const config = configs && join(configs, 'containers/storage.conf');
  const system = ['/etc/containers/storage.conf', '/usr/share/containers/storage.conf'];
  const files = env.CONTAINERS_STORAGE_CONF
    ? [env.CONTAINERS_STORAGE_CONF]
    : uid === 0 || config === undefined
      ? system
      : [config, ...system];
  const found = await firstConfig(files);
  const own = found !== undefined && [config, env.CONTAINERS_STORAGE_CONF].includes(found.file);
  const expand = (path: string) =>
    path.replace(/\$(HOME|UID|USER)\b/g, (_, name: string) =>
      name === 'HOME' ? (home ?? noHome()) : name === 'UID' ? String(uid) : (env.USER ?? ''),
    );
  const { graphroot, rootless_storage_path: rootless, driver } = found?.storage ?? {};
  const usual = (): string => {
    if (uid === 0) return `/${BELOW}`;
    return join(userDirectory('XDG_DATA_HOME', settings) ?? noHome(), 'containers/storage');
  };
  // The graph root in the system's file is root's only.
  const configured = uid === 0 || own ? graphroot : undefined;
  const root = (uid === 0 ? undefined : rootless) ?? configured ?? usual();
  return {
    root: expand(root),
    ...((env.STORAGE_DRIVER || driver) && { driver: env.STORAGE_DRIVER || driver }),
  } as Store;
}

function noHome(): never {
  throw new ImagesError('CONFIG_INVALID', 'there is no home directory where containers-storage could be', {
    hint: 'Name the store: containers-storage:[overlay@/path]NAME; or set HOME to an absolute path.',
  });
}

interface StorageConfig {
  readonly graphroot?: string;
  readonly rootless_storage_path?: string;
  readonly driver?: string;
}

async function firstConfig(
  files: readonly string[],
): Promise<{ readonly file: string; readonly storage: StorageConfig } | undefined> {
  for (const file of files) {
    const config = await readTomlFile(file);
    if (config === undefined) continue;
    const storage = isObject(config.storage) ? config.storage : {};
    const texts = Object.entries(storage).filter(([, value]) => typeof value === 'string' && value !== '');
    return { file, storage: Object.fromEntries(texts) };
  }
  return undefined;
}

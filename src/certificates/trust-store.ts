// Where clients look for CAs that they trust: planned, installed, and removed again. Everything is below a root directory.
import { chmod, readFile, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeDirectory, writeFileAtomically } from '../io/files/atomic-file.ts';
import { isFsError, translatingFsErrors } from '../io/files/fs-errors.ts';
import { ImagesError } from '../oci/errors.ts';
import { checkInside } from './inside-root.ts';
import { certificateName } from './names.ts';

export type TrustingClient = 'docker' | 'containers' | 'containerd' | 'system';

/** A file that makes clients trust a CA. */
export interface TrustFile {
  readonly client: TrustingClient;
  /** Who looks there, for people. */
  readonly readers: string;
  /** Absolute, below the root. */
  readonly path: string;
  readonly content: string;
  /** The directory, made by the client's package or its administrator, without which nobody looks there. */
  readonly basis: string;
}

export interface TrustPlan {
  readonly root: string;
  readonly files: readonly TrustFile[];
  /** Commands that make the system take notice, to be run after installing. */
  readonly commands: readonly (readonly string[])[];
  /** The same after removing. */
  readonly commandsAfterRemoval: readonly (readonly string[])[];
}

export interface TrustOptions {
  /** PEM. */
  readonly certificate: string;
  /** `HOST:PORT` of each registry that the CA stands for. */
  readonly registries: readonly string[];
  readonly clients: readonly TrustingClient[];
  /** `/`, or the root of a VM's file system. */
  readonly root: string;
}

export type TrustState = 'installed' | 'absent' | 'different';

const SYSTEM_NAME = 'images-registry.crt';
/** Where a system keeps the CAs that its programs trust. */
export interface SystemStore {
  /** Below the root. */
  readonly directory: string;
  /** What makes it known. */
  readonly command: readonly string[];
  /** Absent: the same. */
  readonly afterRemoval?: readonly string[];
}

const DEBIAN: SystemStore = {
  directory: 'usr/local/share/ca-certificates',
  command: ['update-ca-certificates'],
  // Else links to what was removed stay in /etc/ssl/certs.
  afterRemoval: ['update-ca-certificates', '--fresh'],
};
/** Debian's and Alpine's way, that of Fedora and its relatives, and that of SUSE. The first directory that is there counts; without any, Debian's. */
export const SYSTEM_STORES: readonly SystemStore[] = [
  DEBIAN,
  { directory: 'etc/pki/ca-trust/source/anchors', command: ['update-ca-trust', 'extract'] },
  { directory: 'etc/pki/trust/anchors', command: ['update-ca-certificates'] },
];

/** What is to be written where. Errors: USAGE (not `HOST:PORT`). */
export async function trustPlan(options: TrustOptions): Promise<TrustPlan> {
  const { certificate, registries, clients, root } = options;
  const files = registries.flatMap((registry) => filesFor(checked(registry), clients, { certificate, root }));
  if (!clients.includes('system')) return { root, files, commands: [], commandsAfterRemoval: [] };
  const { directory, command, afterRemoval = command } = await systemStore(root);
  const basis = join(root, directory);
  const file = {
    client: 'system',
    readers: 'all programs',
    path: join(basis, SYSTEM_NAME),
    content: certificate,
    basis,
  } as const;
  return { root, files: [...files, file], commands: [command], commandsAfterRemoval: [afterRemoval] };
}

/** That of the system below the root. */
export async function systemStore(root: string): Promise<SystemStore> {
  for (const system of SYSTEM_STORES) if (await isDirectory(join(root, system.directory))) return system;
  return DEBIAN;
}

/** What is there already. */
export async function trustStateOf({ path, content }: TrustFile): Promise<TrustState> {
  try {
    return (await readFile(path, 'utf8')) === content ? 'installed' : 'different';
  } catch (error) {
    if (isFsError(error, 'ENOENT', 'ENOTDIR')) return 'absent';
    if (isFsError(error, 'EISDIR')) return 'different';
    throw error;
  }
}

/**
 * Writes the files that are not there, for everybody to read, whatever the umask is. One that differs is another's: it stays. Returns what was written.
 * Errors: NO_ACCESS, READ_ONLY, NO_SPACE, CONFIG_INVALID (another's is there, a link leads out of the root).
 */
export async function installTrust({ files, root }: TrustPlan): Promise<readonly TrustFile[]> {
  await checkInside(root, files);
  const states = await statesOf(files);
  const foreign = files.filter((_, at) => states[at] === 'different');
  // Before the first is written: a client that trusts half of the addresses puzzles more than one that trusts none.
  if (foreign.length > 0) {
    throw new ImagesError(
      'CONFIG_INVALID',
      `another CA is there already [${foreign.map(({ path }) => path).join(', ')}]`,
      {
        hint: 'Remove what is no longer needed, and try again.',
      },
    );
  }
  const missing = files.filter((_, at) => states[at] === 'absent');
  for (const { path, content } of missing) {
    await translatingFsErrors(path, () => makeOpenDirectory(dirname(path)));
    await writeFileAtomically(path, content, { like: { mode: 0o644 } });
  }
  return missing;
}

/**
 * Removes the files that are as they were installed, and the directories of theirs that are empty then. Returns what was removed.
 * Errors: NO_ACCESS, READ_ONLY, CONFIG_INVALID (a link leads out of the root).
 */
export async function removeTrust({ files, root }: TrustPlan): Promise<readonly TrustFile[]> {
  await checkInside(root, files);
  const states = await statesOf(files);
  const ours = files.filter((_, at) => states[at] === 'installed');
  for (const { path, basis } of ours) {
    await translatingFsErrors(path, () => rm(path));
    await removeEmpty(dirname(path), basis);
  }
  return ours;
}

function filesFor(
  registry: string,
  clients: readonly TrustingClient[],
  { certificate, root }: Pick<TrustOptions, 'certificate' | 'root'>,
): readonly TrustFile[] {
  const certs = (client: 'docker' | 'containers', readers: string): readonly TrustFile[] => {
    if (!clients.includes(client)) return [];
    const basis = join(root, 'etc', client);
    return [{ client, readers, path: join(basis, 'certs.d', registry, 'ca.crt'), content: certificate, basis }];
  };
  return [
    ...certs('docker', 'docker'),
    ...certs('containers', 'podman, buildah, skopeo, CRI-O'),
    ...(clients.includes('containerd') ? containerdFiles(registry, { certificate, root }) : []),
  ];
}

/** containerd looks there if `config_path` of its CRI plugin says so; nerdctl and ctr --hosts-dir do in any case. */
function containerdFiles(
  registry: string,
  { certificate, root }: Pick<TrustOptions, 'certificate' | 'root'>,
): readonly TrustFile[] {
  const basis = join(root, 'etc/containerd');
  const directory = join(basis, 'certs.d', registry);
  const common = { client: 'containerd', readers: 'containerd, nerdctl', basis } as const;
  // As the machine sees the file, not whoever writes it below a root.
  const seen = `/etc/containerd/certs.d/${registry}/ca.crt`;
  const hosts = `server = "https://${registry}"\n\n[host."https://${registry}"]\n  capabilities = ["pull", "resolve", "push"]\n  ca = "${seen}"\n`;
  return [
    { ...common, path: join(directory, 'ca.crt'), content: certificate },
    { ...common, path: join(directory, 'hosts.toml'), content: hosts },
  ];
}

/** It becomes a part of a path and of a TOML string. */
function checked(registry: string): string {
  const [, v6, name = '', port] = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/i.exec(registry) ?? [];
  const known = certificateName(v6 ?? name);
  const isKind = v6 === undefined || (known?.kind === 'ip' && v6.includes(':'));
  if (!known || !isKind || (port !== undefined && (Number(port) > 65_535 || Number(port) === 0))) {
    throw new ImagesError('USAGE', `not the address of a registry [${registry}]`, {
      hint: 'Write HOST:PORT, for example 192.168.0.250:5000.',
    });
  }
  return registry.toLowerCase();
}

/** Those that are made are for everybody to pass: podman without root looks there, too. */
async function makeOpenDirectory(path: string): Promise<void> {
  const first = await makeDirectory(path);
  for (let at = path; first !== undefined; at = dirname(at)) {
    await chmod(at, 0o755);
    if (at === first) return;
  }
}

async function statesOf(files: readonly TrustFile[]): Promise<readonly TrustState[]> {
  return await Promise.all(files.map((file) => translatingFsErrors(file.path, () => trustStateOf(file))));
}

async function removeEmpty(directory: string, basis: string): Promise<void> {
  if (!directory.startsWith(`${basis}/`)) return;
  try {
    await rmdir(directory);
  } catch {
    // Something else is in it, or it is another's.
    return;
  }
  await removeEmpty(dirname(directory), basis);
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

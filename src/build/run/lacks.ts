// Describes what a machine lacks, with the command or package that provides it.
import { execFile } from 'node:child_process';
import type { Lack } from './contract.ts';
import type { Ids } from './ids.ts';
import { mendProgram, type Programs } from './programs.ts';

const USUAL_COUNT = 65_536;

/** The command that gives a user at least `count` subordinate ids. */
export function moreIds({ user, firstFree }: Pick<Ids, 'user' | 'firstFree'>, count: number = USUAL_COUNT): string {
  const range = `${firstFree}-${firstFree + Math.max(count, USUAL_COUNT) - 1}`;
  return `Give the user subordinate ids: sudo usermod --add-subuids ${range} --add-subgids ${range} ${user.name}`;
}

/** Reads a file of /proc or /sys. Returns `undefined` if it does not exist. */
export type ReadSetting = (path: string) => Promise<string | undefined>;

/** Why no user namespace, or no mount in one, is possible: known restrictions of kernels and distributions. `said` is the message of unshare or mount. */
export async function whyNoNamespace(said: string, read: ReadSetting): Promise<Lack> {
  if ((await read('/proc/sys/kernel/unprivileged_userns_clone'))?.trim() === '0') {
    return {
      what: 'this kernel makes no user namespaces for users [kernel.unprivileged_userns_clone = 0]',
      mend: 'sudo sysctl -w kernel.unprivileged_userns_clone=1',
    };
  }
  if ((await read('/proc/sys/user/max_user_namespaces'))?.trim() === '0') {
    return {
      what: 'this kernel makes no user namespaces [user.max_user_namespaces = 0]',
      mend: 'sudo sysctl -w user.max_user_namespaces=15000',
    };
  }
  if ((await read('/proc/sys/kernel/apparmor_restrict_unprivileged_userns'))?.trim() === '1') {
    return {
      what: 'AppArmor gives user namespaces no rights [kernel.apparmor_restrict_unprivileged_userns = 1]',
      mend: 'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
    };
  }
  if ((await read('/.dockerenv')) !== undefined || (await read('/run/.containerenv')) !== undefined) {
    return {
      what: `this container may make no namespaces [${said}]`,
      mend: 'Start it with: --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined',
    };
  }
  return {
    what: `no user namespace can be made [${said}]`,
    mend: 'Run as root, or ask who runs this machine for user namespaces.',
  };
}

/** Reports missing programs that every RUN needs. */
export async function missingPrograms(programs: Programs): Promise<readonly Lack[]> {
  const lacks: Lack[] = [];
  for (const name of ['sh', 'unshare', 'mount', 'tar', 'setpriv']) {
    if (!(await programs.find(name))) lacks.push({ what: `there is no program [${name}]`, mend: mendProgram(name) });
  }
  return lacks;
}

/** Checks that tar supports extended attributes, which layers may contain: above all, capabilities of programs. */
export async function tarLack(programs: Programs): Promise<Lack | undefined> {
  if (await isGnuTar(programs)) return undefined;
  return { what: 'tar here knows no extended attributes', mend: 'Install GNU tar: sudo apt install tar' };
}

async function isGnuTar(programs: Programs): Promise<boolean> {
  const tar = (await programs.find('tar')) ?? 'tar';
  return new Promise((resolve) => {
    execFile(tar, ['--xattrs', '--sort=name', '--version'], (error) => resolve(error === null));
  });
}

/** Why a user has only one id, and how to get more. */
export async function whyOneOwner(ids: Ids, programs: Programs): Promise<Lack | undefined> {
  if (ids.owners !== 'one' || ids.enter === 'directly') return undefined;
  const mapper = (await programs.find('newuidmap')) && (await programs.find('newgidmap'));
  const what = `files can have one owner only [user ${ids.user.name}]`;
  if (!mapper)
    return { what, mend: `${mendProgram('uidmap').replace(/\.$/, '')} && ${moreIds(ids).replace(/^[^:]+: /, '')}` };
  return { what, mend: moreIds(ids) };
}

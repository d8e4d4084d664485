// Programs of later Debians than this machine's: downloaded by apt into a directory of their own, never installed, and kept for later runs. Those that need a
// newer libc than is here do not start. They come from where the machine's own packages do.
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from './find.ts';
import { must } from './process.ts';

const KEPT = '/var/tmp/images-newer';
/** Programs by package; the suites are those in which each is of the version that tests are written for. */
const PACKAGES = {
  kind: { suite: 'trixie', packages: ['kind'], program: 'kind' },
  'containerd-1.7': { suite: 'trixie', packages: ['containerd'], program: 'containerd' },
  'containerd-2': { suite: 'sid', packages: ['containerd', 'containernetworking-plugins'], program: 'containerd' },
} as const;

export type Newer = keyof typeof PACKAGES;

/** The directory of the programs, if they are here. */
export function newerPrograms(name: Newer): string | undefined {
  const directory = join(KEPT, name, 'usr/bin');
  if (existsSync(join(directory, PACKAGES[name].program))) return directory;
  const installed = name === 'kind' ? findProgram('kind') : undefined;
  return installed && join(installed, '..');
}

/** The same; they are downloaded if they are not here, which takes half a minute. Needs root and apt. */
export async function fetchNewer(name: Newer): Promise<string> {
  const there = newerPrograms(name);
  if (there !== undefined) return there;
  const { suite, packages } = PACKAGES[name];
  const part = join(KEPT, `${name}.${process.pid}`);
  const apt = join(part, 'apt');
  for (const directory of ['state/lists/partial', 'cache/archives/partial'])
    await mkdir(join(apt, directory), { recursive: true });
  await writeFile(join(apt, 'list'), `deb [trusted=yes] ${await archiveAddress()} ${suite} main\n`);
  const options = [
    ...[`Dir::Etc::sourcelist=${apt}/list`, 'Dir::Etc::sourceparts=-', `Dir::State=${apt}/state`],
    ...[`Dir::Cache=${apt}/cache`, 'Dir::State::status=/var/lib/dpkg/status', 'APT::Sandbox::User=root'],
  ].flatMap((option) => ['-o', option]);
  await must('apt-get', [...options, 'update', '-qq']);
  await must('apt-get', [...options, 'download', '-qq', ...packages], { cwd: apt });
  for (const file of await readdir(apt)) {
    if (file.endsWith('.deb')) await must('dpkg', ['-x', join(apt, file), part]);
  }
  await rm(apt, { recursive: true });
  await rename(part, join(KEPT, name));
  const fetched = newerPrograms(name);
  if (fetched === undefined) throw new Error(`${packages.join(', ')} of ${suite}: no ${PACKAGES[name].program} in it`);
  return fetched;
}

/** Where this machine has its own packages from. */
async function archiveAddress(): Promise<string> {
  const files = ['sources.list', ...(await readdir('/etc/apt/sources.list.d')).map((name) => `sources.list.d/${name}`)];
  for (const file of files.filter((name) => /\.(?:list|sources)$/.test(name) || name === 'sources.list')) {
    const text = await readFile(join('/etc/apt', file), 'utf8').catch(() => '');
    const [, address] = /^(?:URIs:|deb(?: \[.*?\])?) *(\S+debian\/?)(?: |$)/m.exec(text) ?? [];
    if (address !== undefined) return address;
  }
  throw new Error('no source of Debian in /etc/apt');
}

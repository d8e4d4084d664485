// Fixtures for tests of RUN: root file systems of busybox, users with and without subordinate ids, and a function that executes one RUN as one of them.
import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from '../../../../test/peers/find.ts';
import { must, run, start } from '../../../../test/peers/process.ts';
import { temporaryDirectory } from '../../../../test/peers/temporary.ts';
import { bundle } from '../../../../test/testing/bundle.ts';
import type { Digest } from '../../../oci/digest.ts';
import { readTar } from '../../../tar/reader.ts';
import { type Drive, hashFile, type Outcome } from './drive.ts';

export interface Who {
  /** `root`, `a user with subordinate ids`, `nobody`. */
  readonly title: string;
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly owners: 'all' | 'many' | 'one';
}

export interface RunWorld extends AsyncDisposable {
  readonly path: string;
  /** A root file system of busybox as an archive. */
  readonly busybox: string;
  archive(name: string, script: string): Promise<string>;
  /** A directory that this user can write to. */
  home(who: Who): Promise<string>;
  /** `before` are words of a command in front of it, for example nsenter. */
  drive(who: Who, spec: DriveSpec, before?: readonly string[]): Promise<Driven>;
  /** Starts one without waiting for its end. */
  begin(who: Who, spec: DriveSpec): Promise<Begun>;
}

/** Absent fields get defaults. */
export type DriveSpec = Omit<Drive, 'out' | 'settings'> & { readonly settings?: Partial<Drive['settings']> };

export interface Driven extends Outcome {
  /** The new layer, a file with an archive. */
  readonly layer: string;
}

export interface Begun {
  readonly pid: number;
  readonly output: () => string;
  readonly ended: Promise<unknown>;
  kill(signal: NodeJS.Signals): void;
}

const FILES = `
mkdir -p bin etc tmp d/sub home/u old/deep
cp ${findProgram('busybox') ?? '/bin/busybox'} bin/busybox
for name in $(./bin/busybox --list | grep -v busybox); do ln -s busybox bin/$name; done
printf 'root:x:0:0::/root:/bin/sh\\nu:x:1000:1000::/home/u:/bin/sh\\n' >etc/passwd
echo x >d/x; echo y >d/y; echo s >d/sub/s; echo o >old/deep/o; ln d/x d/hard; ln -s d link; chmod 1777 tmp
chmod 4755 d/y; chown 1000:1000 home/u || :; mkfifo d/fifo
`;

export async function newRunWorld(): Promise<RunWorld> {
  const directory = await temporaryDirectory('run');
  await chmod(directory.path, 0o755);
  let count = 0;
  const driver = join(directory.path, 'drive.mjs');
  await bundle(join(import.meta.dirname, 'drive.ts'), driver);
  const digests: Record<string, Digest> = {};
  const archive = async (name: string, script: string): Promise<string> => {
    const root = join(directory.path, name);
    await must('sh', ['-ec', `mkdir -p ${root}; cd ${root}; ${script}`]);
    await must('tar', ['-C', root, '--xattrs', '--xattrs-include=*', '--sort=name', '-cf', `${root}.tar`, '.']);
    await must('rm', ['-rf', root]);
    delete digests[`${root}.tar`];
    return `${root}.tar`;
  };
  const home = async (who: Who): Promise<string> => {
    const path = join(directory.path, `home-${who.name}`);
    await mkdir(path, { recursive: true });
    await chown(path, who.uid, who.gid);
    return path;
  };
  const command = async (who: Who, spec: DriveSpec) => {
    const base = await home(who);
    const [out, file] = [join(base, `layer-${++count}.tar`), join(directory.path, `spec-${count}.json`)];
    const settings = { directory: join(base, 'runner'), ...spec.settings };
    for (const layer of spec.layers) digests[layer] ??= hashFile(layer);
    await writeFile(file, JSON.stringify({ ...spec, digests, settings, out }));
    const become = ['--reuid', `${who.uid}`, '--regid', `${who.gid}`, '--clear-groups'];
    return {
      out,
      argv: [...(process.getuid?.() === 0 ? become : ['--keep-groups']), process.execPath, driver, file] as const,
    };
  };
  return {
    path: directory.path,
    busybox: await archive('busybox', FILES),
    archive,
    home,
    async drive(who, spec, before = []) {
      const { out, argv } = await command(who, spec);
      const words = [...before, 'setpriv', ...argv];
      const { status, stdout, stderr } = await run(words[0] as string, words.slice(1), {
        cwd: '/',
        env: { HOME: '/' },
      });
      const last = stdout.trim().split('\n').at(-1);
      if (status !== 0 || !last) throw new Error(`the driver failed: ${stderr}`);
      return { ...(JSON.parse(last) as Outcome), layer: out };
    },
    async begin(who, spec) {
      const child = start('setpriv', (await command(who, spec)).argv, { cwd: '/' });
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
      const ended = new Promise((resolve) => child.once('close', resolve));
      return { pid: child.pid ?? 0, output: () => output, ended, kill: (signal) => void child.kill(signal) };
    },
    async [Symbol.asyncDispose]() {
      await must('rm', ['-rf', directory.path]);
    },
  };
}

export interface Users extends AsyncDisposable {
  readonly all: readonly Who[];
}

/** If run as root: root, a user made for the tests, and nobody. Otherwise the current user. */
export async function provideUsers(): Promise<Users> {
  const name = `images-${randomBytes(3).toString('hex')}`;
  await must('useradd', ['--no-create-home', '--shell', '/bin/sh', name]);
  const [uid = 0, gid = 0] = (await must('sh', ['-c', `id -u ${name}; id -g ${name}`])).trim().split('\n').map(Number);
  const ranges = await readFile('/etc/subuid', 'utf8');
  if (!ranges.includes(`${name}:`)) throw new Error('useradd gives no subordinate ids here');
  return {
    all: [
      { title: 'root', name: 'root', uid: 0, gid: 0, owners: 'all' },
      { title: 'a user with subordinate ids', name, uid, gid, owners: 'many' },
      { title: 'nobody', name: 'nobody', uid: 65534, gid: 65534, owners: 'one' },
    ],
    [Symbol.asyncDispose]: async () => void (await must('userdel', [name])),
  };
}

/** One line for each entry: name, type, mode, owner, content of files, target of links. */
export async function listLayer(file: string): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const entry of readTar(createReadStream(file) as AsyncIterable<Uint8Array>)) {
    const content =
      entry.type === 'file'
        ? Buffer.concat(await Array.fromAsync(entry.body))
            .toString()
            .trim()
            .slice(0, 40)
        : entry.linkname;
    const xattrs = [...entry.xattrs].map(([name, value]) => ` ${name}=${Buffer.from(value).toString('hex')}`).join('');
    lines.push(
      `${entry.name} ${entry.type} ${entry.mode.toString(8)} ${entry.uid}:${entry.gid} ${content}${xattrs}`.trim(),
    );
  }
  return lines;
}

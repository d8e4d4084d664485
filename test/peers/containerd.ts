// Debian's containerd (root only), separate from any other on the machine: with its own directories and socket. IMAGES_TEST_CONTAINERD names the directory of another
// containerd's programs, for all tests that start one.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CriImage, criImage, criPull } from './cri.ts';
import { must, start, stop, until } from './process.ts';
import { temporaryDirectory } from './temporary.ts';

export interface ContainerdPeer extends AsyncDisposable {
  /** The path of its socket. */
  readonly address: string;
  ctr(args: readonly string[]): Promise<string>;
  /** By the CRI plugin, as kubelet does. It is there only with `cri`. */
  criPull(image: string): Promise<string>;
  /** What CRI says of an image; it is there only with `cri`. */
  criImage(image: string): Promise<CriImage | undefined>;
}

export interface ContainerdOptions {
  /** What is added to config.toml, of version 2: the CRI plugin is on, and this says what it reads. */
  readonly cri?: string;
  /** The directory with `containerd`, `ctr` and the shim, if not those of the machine. */
  readonly programs?: string;
  /** A root directory that is there already, and stays. */
  readonly root?: string;
}

/** The directory of the programs of containerd that are tested, if they are not the machine's. */
export const TESTED_CONTAINERD = process.env.IMAGES_TEST_CONTAINERD;

export async function startContainerd({
  cri,
  programs = TESTED_CONTAINERD,
  root,
}: ContainerdOptions = {}): Promise<ContainerdPeer> {
  const directory = await temporaryDirectory('containerd');
  const at = (name: string) => join(directory.path, name);
  const program = (name: string) => (programs === undefined ? name : join(programs, name));
  const config = `version = 2
root = "${root ?? at('root')}"
state = "${at('state')}"
${cri === undefined ? 'disabled_plugins = ["io.containerd.grpc.v1.cri"]' : ''}
[grpc]
address = "${at('containerd.sock')}"
${cri ?? ''}`;
  await writeFile(at('config.toml'), config);
  // The shim is looked for on the path.
  const env = programs === undefined ? {} : { PATH: `${programs}:${process.env.PATH}` };
  const child = start(program('containerd'), ['-c', at('config.toml')], { env });
  child.stdout?.resume();
  child.stderr?.resume();
  const ctr = (args: readonly string[]) => must(program('ctr'), ['-a', at('containerd.sock'), ...args]);
  await until(async () => (await ctr(['version'])) !== '');
  return {
    address: at('containerd.sock'),
    ctr,
    criPull: (image) => criPull(at('containerd.sock'), image),
    criImage: (image) => criImage(at('containerd.sock'), image),
    [Symbol.asyncDispose]: async () => {
      await stop(child);
      await directory[Symbol.asyncDispose]();
    },
  };
}

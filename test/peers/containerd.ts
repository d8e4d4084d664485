// Debian's containerd (root only), separate from any other on the machine: with its own directories and socket.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { must, start, stop, until } from './process.ts';
import { temporaryDirectory } from './temporary.ts';

export interface ContainerdPeer extends AsyncDisposable {
  ctr(args: readonly string[]): Promise<string>;
}

export async function startContainerd(): Promise<ContainerdPeer> {
  const directory = await temporaryDirectory('containerd');
  const at = (name: string) => join(directory.path, name);
  const config = `version = 2
root = "${at('root')}"
state = "${at('state')}"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "${at('containerd.sock')}"
`;
  await writeFile(at('config.toml'), config);
  const child = start('containerd', ['-c', at('config.toml')]);
  child.stdout?.resume();
  child.stderr?.resume();
  const ctr = (args: readonly string[]) => must('ctr', ['-a', at('containerd.sock'), ...args]);
  await until(async () => (await ctr(['version'])) !== '');
  return {
    ctr,
    [Symbol.asyncDispose]: async () => {
      await stop(child);
      await directory[Symbol.asyncDispose]();
    },
  };
}

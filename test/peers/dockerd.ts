// Debian's dockerd (root only), separate from any other on the machine: with its own directories and socket, without bridge and firewall rules.
import { join } from 'node:path';
import { must, run, start, stop, until } from './process.ts';
import { temporaryDirectory } from './temporary.ts';

export interface DockerPeer extends AsyncDisposable {
  /** `unix:///…/docker.sock`, for `$DOCKER_HOST`. */
  readonly host: string;
  docker(args: readonly string[]): Promise<string>;
}

/** Uses plain http for registries on 127.0.0.0/8. */
export async function startDockerd(configFile?: string): Promise<DockerPeer> {
  const directory = await temporaryDirectory('dockerd');
  const at = (name: string) => join(directory.path, name);
  const host = `unix://${at('docker.sock')}`;
  const child = start('/usr/sbin/dockerd', [
    `--data-root=${at('data')}`,
    `--exec-root=${at('exec')}`,
    `--host=${host}`,
    '--storage-driver=overlay2',
    '--iptables=false',
    '--bridge=none',
    `--pidfile=${at('pid')}`,
    ...(configFile === undefined ? [] : [`--config-file=${configFile}`]),
  ]);
  child.stdout?.resume();
  child.stderr?.resume();
  const docker = (args: readonly string[]) => must('docker', args, { env: { DOCKER_HOST: host } });
  await until(async () => (await docker(['version'])) !== '');
  return {
    host,
    docker,
    [Symbol.asyncDispose]: async () => {
      await stop(child);
      // Containers on the host's network leave a mount behind.
      await run('umount', [at('exec/netns/default')]);
      await directory[Symbol.asyncDispose]();
    },
  };
}

// All files of a node, for the runtimes that it has.
import { BOOT_SCRIPT, BOOT_SCRIPT_PATH } from './boot-script.ts';
import { containerdFiles } from './containerd-files.ts';
import { containersFiles } from './containers-files.ts';
import { dockerFiles } from './docker-files.ts';
import { k3sFiles } from './k3s-files.ts';
import { kindFiles } from './kind-files.ts';
import { type NodeFile, type NodeRequest, type NodeRuntime, STAGE } from './node-file.ts';
import { spoofedHosts } from './spoofed-hosts.ts';
import { systemCa } from './system-ca.ts';

const FILES: Readonly<Record<NodeRuntime, (request: NodeRequest) => readonly NodeFile[]>> = {
  crio: containersFiles,
  containerd: containerdFiles,
  docker: dockerFiles,
  k3s: (request) => k3sFiles(request, 'k3s'),
  rke2: (request) => k3sFiles(request, 'rke2'),
  kind: kindFiles,
};

/** In the order of the runtimes; each path once. Files that are shared with others are at their place, with ours alone in them. */
export function nodeFiles(request: NodeRequest): readonly NodeFile[] {
  const { registry, hosts, runtimes, spoof = false } = request;
  const isNode = runtimes.some((runtime) => runtime !== 'kind');
  const all = [
    ...runtimes.flatMap((runtime) => FILES[runtime](request)),
    ...(isNode ? systemCa(registry) : []),
    ...(spoof ? [hostsFile(request)] : []),
  ];
  const byPath = new Map(all.map((file) => [file.path, file]));
  return [...byPath.values(), ...(spoof ? [spoofedHosts(registry, hosts)] : [])];
}

/** The same for a node that boots with them, or runs the script once: it puts what is shared to where it belongs, whatever is there. */
export function bootFiles(request: NodeRequest): readonly NodeFile[] {
  const files = nodeFiles(request).filter(({ shared }) => shared !== 'hosts');
  return [
    ...files.map((file) => (file.shared ? { ...file, path: `${STAGE}/${file.path}` } : file)),
    { path: BOOT_SCRIPT_PATH, mode: 0o755, content: BOOT_SCRIPT },
  ];
}

function hostsFile({ registry, hosts }: NodeRequest): NodeFile {
  return { ...spoofedHosts(registry, hosts), path: 'etc/hosts', shared: 'hosts' };
}

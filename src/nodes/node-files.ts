// All files of a node, for the runtimes that it has.
import { STAGED_CA } from './boot/trusted-ca.ts';
import { BOOT_SCRIPT, BOOT_SCRIPT_PATH } from './boot-script.ts';
import { containerdFiles } from './containerd-files.ts';
import { containersFiles } from './containers-files.ts';
import { dockerFiles } from './docker-files.ts';
import { k3sFiles } from './k3s-files.ts';
import { kindFiles } from './kind-files.ts';
import { type NodeFile, type NodeRequest, type NodeRuntime, STAGE } from './node-file.ts';
import { withHosts } from './shared/hosts-file.ts';
import { nameLines, spoofedLines } from './spoofed-hosts.ts';
import { SYSTEM_CA, systemCa } from './system-ca.ts';

const FILES: Readonly<Record<NodeRuntime, (request: NodeRequest) => readonly NodeFile[]>> = {
  crio: containersFiles,
  containerd: containerdFiles,
  docker: dockerFiles,
  k3s: (request) => k3sFiles(request, 'k3s'),
  rke2: (request) => k3sFiles(request, 'rke2'),
  kind: kindFiles,
};

/** Those that know the registry by its name if it has IPv6 addresses. */
const NAMING: readonly NodeRuntime[] = ['crio', 'containerd', 'k3s', 'rke2'];

/** In the order of the runtimes; each path once. Of files that are shared with others, ours alone. */
export function nodeFiles(request: NodeRequest): readonly NodeFile[] {
  const { registry, hosts, spoof = false } = request;
  const spoofed = spoof ? spoofedLines(registry, hosts) : '';
  return [...runtimeFiles(request), ...hostsFile(spoofed + nameLinesOf(request)), ...spoofedFile(spoofed)];
}

/** The same for a node that boots with them, or runs the script once: it puts what is shared to where it belongs, whatever is there. */
export function bootFiles(request: NodeRequest): readonly NodeFile[] {
  const { registry, hosts, spoof = false } = request;
  // Also if there is nothing in it: an earlier one is replaced.
  const names = { path: 'etc/hosts', mode: 0o644, content: nameLinesOf(request), shared: 'hosts' } as const;
  const files = [...runtimeFiles(request), names];
  return [
    ...files.map((file) => ({ ...file, path: stagedPath(file) })),
    ...spoofedFile(spoof ? spoofedLines(registry, hosts) : ''),
    { path: BOOT_SCRIPT_PATH, mode: 0o755, content: BOOT_SCRIPT },
  ];
}

/** Where the system keeps its CAs, the script finds out. */
function stagedPath({ path, shared }: NodeFile): string {
  if (path === SYSTEM_CA) return `${STAGE}/${STAGED_CA}`;
  return shared ? `${STAGE}/${path}` : path;
}

/** For a node on which nothing is configured: what is shared as a whole. */
export function newNodeFiles(request: NodeRequest): readonly NodeFile[] {
  return nodeFiles(request).map((file) =>
    file.shared === 'hosts'
      ? { ...file, content: withHosts('127.0.0.1 localhost\n::1 localhost\n', file.content) }
      : file,
  );
}

function runtimeFiles(request: NodeRequest): readonly NodeFile[] {
  const { registry, runtimes } = request;
  const all = runtimes.flatMap((runtime) => FILES[runtime](request));
  const byPath = new Map(all.map((file) => [file.path, file]));
  return [...byPath.values(), ...(isForNodes(request) ? systemCa(registry) : [])];
}

function nameLinesOf(request: NodeRequest): string {
  const isNamed = request.runtimes.some((runtime) => NAMING.includes(runtime));
  return isNamed ? nameLines(request.registry) : '';
}

function isForNodes({ runtimes }: NodeRequest): boolean {
  return runtimes.some((runtime) => runtime !== 'kind');
}

function hostsFile(content: string): readonly NodeFile[] {
  return content === '' ? [] : [{ path: 'etc/hosts', mode: 0o644, content, shared: 'hosts' }];
}

function spoofedFile(content: string): readonly NodeFile[] {
  return content === '' ? [] : [{ path: 'etc/spoofed-hosts', mode: 0o644, content }];
}

// `node_config`: the files by which the runtimes of nodes find the private registry, and what else has to be known of them.
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { translateFsError } from '../../io/files/fs-errors.ts';
import type { NodeFile, NodeRequest, NodeRuntime } from '../../nodes/node-file.ts';
import { bootFiles, newNodeFiles } from '../../nodes/node-files.ts';
import { checkedHost, parseHostList } from '../../nodes/spoofed-hosts.ts';
import { butane, cloudInit } from '../../nodes/user-data.ts';
import { WELL_KNOWN_HOSTS } from '../../nodes/well-known-hosts.ts';
import { checkArguments, objectWith } from '../../oci/arguments.ts';
import { ImagesError } from '../../oci/errors.ts';
import { SETTINGS, TEXTS } from '../arguments.ts';
import { xclusterEnvironment } from '../overlays/xcluster.ts';
import type { Settings } from '../settings.ts';
import { nodeRegistry, type RegistryChoice } from './node-registry.ts';

export const NODE_RUNTIMES: readonly NodeRuntime[] = ['crio', 'containerd', 'docker', 'k3s', 'rke2', 'kind'];
/** Those of which a node may have one: what `all` stands for. */
export const ALL_RUNTIMES: readonly NodeRuntime[] = ['crio', 'containerd', 'docker', 'k3s'];

export interface NodeConfigRequest extends RegistryChoice {
  readonly runtimes: readonly NodeRuntime[];
  /** Hosts beside the well-known ones, or those in the file that `$__dns_spoof` names. */
  readonly hosts?: readonly string[];
  /** As in `NodeRequest`. */
  readonly spoof?: boolean;
  readonly only?: boolean;
}

/**
 * What is to be told to nodes: the registry at the address that `lreg_ip` prints (or the one that is named), and for which hosts.
 * Errors: those of `vmAddress`; CONFIG_INVALID (a name that is no host's; no CA), FILE_UNREADABLE.
 */
export async function nodeRequest(request: NodeConfigRequest, settings: Settings): Promise<NodeRequest> {
  checkArguments({
    request: [request, objectWith({ registries: TEXTS, runtimes: TEXTS })],
    settings: [settings, SETTINGS],
  });
  const { runtimes, spoof = false, only = false, hosts = [] } = request;
  const registry = await nodeRegistry(request, settings);
  const named = hosts.map((host) => checkedHost(host, '--host'));
  const all = [...new Set([...((await spoofedByFile(settings)) ?? WELL_KNOWN_HOSTS), ...named])];
  if (spoof && !registry.addresses.some((address) => isIP(address) !== 0)) {
    throw new ImagesError('USAGE', `/etc/hosts needs an address of the registry [${registry.addresses.join(', ')}]`, {
      hint: 'With --spoof, name it by its IP address.',
    });
  }
  const isReached = registry.port === (registry.scheme === 'https' ? 443 : 80);
  if (spoof && !isReached) {
    settings.onNote?.(
      `Who takes the registry for quay.io asks port 80 or 443, not ${registry.port}: nodes find it by their mirrors alone. It can listen there, too: images lreg_start --listen=0.0.0.0:80.`,
    );
  }
  return { registry, hosts: all, runtimes, spoof, only };
}

export type NodeFormat = 'files' | 'boot' | 'cloud-init' | 'butane' | 'flatcar';
export const NODE_FORMATS: readonly NodeFormat[] = ['files', 'boot', 'cloud-init', 'butane', 'flatcar'];

/** `files`: for nodes that have none of them. `boot`: with the script that puts what is shared to its place. Others are a single text. */
export function nodeOutput(request: NodeRequest, format: NodeFormat): readonly NodeFile[] | string {
  if (format === 'files') return newNodeFiles(request);
  const files = bootFiles(request);
  if (format === 'boot') return files;
  return format === 'cloud-init' ? cloudInit(files) : butane(files, format === 'flatcar' ? 'flatcar' : 'fcos');
}

/** The hosts in the file that `$__dns_spoof` names, as xcluster has it. */
async function spoofedByFile(settings: Settings): Promise<readonly string[] | undefined> {
  const file = settings.env.__dns_spoof ?? (await xclusterEnvironment(settings)).get('__dns_spoof');
  if (!file) return undefined;
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new ImagesError('FILE_UNREADABLE', `the file that $__dns_spoof names cannot be read [${file}]`, {
      hint: 'It has the names of hosts, one on each line.',
      cause: translateFsError(error, file),
    });
  });
  const hosts = parseHostList(text, file);
  if (hosts.length > 0) return hosts;
  throw new ImagesError('CONFIG_INVALID', `no host is in the file that $__dns_spoof names [${file}]`, {
    hint: 'It has the names of hosts, one on each line; without $__dns_spoof the well-known ones are taken.',
  });
}

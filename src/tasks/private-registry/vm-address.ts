// `lreg_ip`: the address at which VMs reach the private registry. It is never a loopback address, since in a VM that is the VM itself.

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { basename } from 'node:path';
import { bestAddress, isLoopback, isUnspecified, USER_SPACE_HOST, USER_SPACE_SETUP } from '../../nodes/addresses.ts';
import { arrayOf, checkArguments, NUMBER, objectWith, TEXT } from '../../oci/arguments.ts';
import { ImagesError } from '../../oci/errors.ts';
import { type BoundAddress, formatListenAddress } from '../../server/address.ts';
import { SETTINGS } from '../arguments.ts';
import { xclusterEnvironment } from '../overlays/xcluster.ts';
import type { Settings, TaskCall, World } from '../settings.ts';
import { parseRegistryAddress } from './local-registry.ts';
import { locateRegistry, noRegistry, type RegistryLocation } from './locate-registry.ts';
import { ownInterfaces } from './own-interfaces.ts';

export interface VmAddress {
  /** An IP address without brackets. */
  readonly ip: string;
  readonly port: number;
  readonly scheme: 'http' | 'https';
}

/**
 * The address at which VMs reach the private registry.
 * Errors: NO_REGISTRY, NOT_RUNNING, ADDRESS_UNAVAILABLE (loopback only), UNREACHABLE (the name does not resolve), CONFIG_INVALID.
 */
export async function vmAddress(settings: Settings): Promise<VmAddress> {
  checkArguments({ settings: [settings, SETTINGS] });
  const location = await locateRegistry(settings);
  if (!location) throw noRegistry(settings);
  const listening = await listeningAddresses(location, settings);
  const found = await addressForVms(listening, settings);
  if (!found) throw loopbackOnly(listening);
  const { ip, port } = found;
  return { ip, port, scheme: listening.some((at) => at.tls && at.port === port) ? 'https' : 'http' };
}

/** The address at which VMs reach a server that listens on these addresses. Returns `undefined` if only this machine can reach it. */
export async function addressForVms(
  listening: readonly BoundAddress[],
  settings: World & TaskCall,
): Promise<{ readonly ip: string; readonly port: number } | undefined> {
  checkArguments({
    listening: [listening, arrayOf(objectWith({ host: TEXT, port: NUMBER }))],
    settings: [settings, SETTINGS],
  });
  const named = listening.find(({ host }) => !isLoopback(host) && !isUnspecified(host));
  if (named) return { ip: named.host, port: named.port };
  const local = listening.find(({ host }) => isUnspecified(host)) ?? listening[0];
  if (!local) return undefined;
  if (await hasUserSpaceNetworking(settings)) return { ip: USER_SPACE_HOST, port: local.port };
  const best = isUnspecified(local.host) ? bestAddress(local.host, ownInterfaces()) : undefined;
  return best === undefined ? undefined : { ip: best, port: local.port };
}

/** xcluster selects user-space networking for QEMU by a script, whose path is in the variable __net_setup. */
async function hasUserSpaceNetworking(settings: World & TaskCall): Promise<boolean> {
  const setup = settings.env.__net_setup ?? (await xclusterEnvironment(settings)).get('__net_setup');
  return setup !== undefined && basename(setup) === USER_SPACE_SETUP;
}

async function listeningAddresses(location: RegistryLocation, settings: World): Promise<readonly BoundAddress[]> {
  if (location.kind === 'remote' && !location.state) {
    const { hostname, port, secure } = location.address;
    return [{ host: await resolved(hostname), port, tls: secure }];
  }
  if (!location.state) throw notRunning();
  return preferred(location.state.addresses, settings);
}

/** Sorts the port that $LOCAL_REGISTRY names to the front. */
function preferred(addresses: readonly BoundAddress[], { env }: World): readonly BoundAddress[] {
  if (!env.LOCAL_REGISTRY) return addresses;
  const { port } = parseRegistryAddress(env.LOCAL_REGISTRY);
  return [...addresses].sort((a, b) => Number(b.port === port) - Number(a.port === port));
}

async function resolved(hostname: string): Promise<string> {
  if (isIP(hostname)) return hostname;
  try {
    return (await lookup(hostname)).address;
  } catch (cause) {
    throw new ImagesError('UNREACHABLE', `the private registry's name does not resolve [${hostname}]`, {
      hint: 'Set LOCAL_REGISTRY to its address.',
      cause,
    });
  }
}

function notRunning(): ImagesError {
  return new ImagesError('NOT_RUNNING', 'the embedded registry is not running', {
    hint: 'Run `images lreg_start --listen=0.0.0.0:80` or set LOCAL_REGISTRY.',
  });
}

function loopbackOnly(listening: readonly BoundAddress[]): ImagesError {
  const where = listening.map(formatListenAddress).join(', ');
  return new ImagesError('ADDRESS_UNAVAILABLE', `VMs cannot reach the private registry [${where}]`, {
    hint: `Let it listen on an address that VMs reach (\`images lreg_start --listen=0.0.0.0:80\`), or use user-space networking (__net_setup=…/${USER_SPACE_SETUP}).`,
  });
}

// Determines which registry is the private one, by rules in a fixed order. Opens nothing.
import { isLoopback, isUnspecified } from '../../nodes/addresses.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { BoundAddress } from '../../server/address.ts';
import { embeddedStoreExists } from '../../storage/embedded-store.ts';
import type { Settings, TaskEvents, World } from '../settings.ts';
import { parseRegistryAddress, type RegistryAddress, registryAddress } from './local-registry.ts';
import { announcedRegistries, systemRegistries } from './registry-adverts.ts';
import type { RegistryState } from './registry-record.ts';
import { dataDirectory, dataDirectoryIfUsable, runningRegistry } from './registry-state.ts';
import { servedAt } from './served-address.ts';

/** `embedded`: this user's own store, used in process, whether or not its registry runs. `remote`: any other registry, over HTTP. */
export type RegistryLocation =
  | { readonly kind: 'embedded'; readonly data: string; readonly state?: RegistryState }
  | { readonly kind: 'remote'; readonly address: RegistryAddress; readonly state?: RegistryState };

/**
 * Tries in this order: --data or $IMAGES_DATA; $LOCAL_REGISTRY; this user's own store if it exists; a running registry of root or of a service that root has
 * set up; a Docker container named `registry`. Returns `undefined` if there is none of them. The registry of another user is used only if it is named, with a
 * note. Errors: CONFIG_INVALID ($LOCAL_REGISTRY).
 */
export async function locateRegistry(settings: Settings): Promise<RegistryLocation | undefined> {
  if (settings.data !== undefined || settings.env.IMAGES_DATA) return embedded(dataDirectory(settings), settings);
  if (settings.env.LOCAL_REGISTRY) {
    const address = parseRegistryAddress(settings.env.LOCAL_REGISTRY);
    const own = ownStore(settings);
    if (own?.state && isServedAt(own.state, address)) return own;
    const there = othersRegistries(settings).find((state) => isServedAt(state, address));
    if (there && there.uid !== 0) settings.onNote?.(`The registry at ${address.host} is user ${there.uid}'s.`);
    return { kind: 'remote', address };
  }
  const own = ownStore(settings);
  if (own && (own.state || (await embeddedStoreExists(own.data)))) return own;
  const [other] = systemRegistries(settings);
  const listening = other && nearestAddress(other);
  if (listening) return { kind: 'remote', address: addressOf(listening), ...(other && { state: other }) };
  const { registryContainer } = await import('./registry-container.ts');
  const address = await registryContainer(settings);
  return address && { kind: 'remote', address };
}

/** The private registry's address, if it has one: for callers that treat it like any other registry. */
export async function privateAddress(settings: Settings): Promise<RegistryAddress | undefined> {
  const location = await locateRegistry(settings);
  if (location?.kind === 'remote') return location.address;
  const [listening] = location?.state?.addresses ?? [];
  return listening && addressOf(listening);
}

export function noRegistry(settings: World): ImagesError {
  const [other] = othersRegistries(settings);
  const [listening] = other?.addresses ?? [];
  const known = listening && ` User ${other?.uid}'s runs at ${namedAddress(listening)}.`;
  return new ImagesError('NO_REGISTRY', 'no private registry', {
    hint: `Run \`images lreg_start\` or set LOCAL_REGISTRY.${known ?? ''}`,
  });
}

function othersRegistries(settings: World): readonly RegistryState[] {
  return announcedRegistries(settings).filter(({ uid }) => uid !== settings.uid);
}

/** The address at which programs on this machine reach a server that listens on the given one. */
export function addressOf({ host, port, tls = false }: BoundAddress): RegistryAddress {
  const reachable = isUnspecified(host) ? (host.includes(':') ? '::1' : '127.0.0.1') : host;
  // With its port, so that nobody takes it for one that is asked over HTTP.
  return tls
    ? { ...registryAddress(reachable, port, port === 80), secure: true, isFound: true }
    : registryAddress(reachable, port, false);
}

/** The same, as $LOCAL_REGISTRY takes it. */
export function namedAddress(listening: BoundAddress): string {
  const { secure, host } = addressOf(listening);
  return secure ? `https://${host}` : host;
}

/** Where to ask a registry of this machine: on loopback no certificate has to be verified, and the login of this machine counts. */
export function nearestAddress({ addresses }: RegistryState): BoundAddress | undefined {
  return addresses.find(({ host, tls }) => !tls && (isUnspecified(host) || isLoopback(host))) ?? addresses[0];
}

function ownStore(settings: World & TaskEvents): ReturnType<typeof embedded> | undefined {
  const data = dataDirectoryIfUsable(settings);
  return data === undefined ? undefined : embedded(data, settings);
}

function embedded(data: string, settings: World): Extract<RegistryLocation, { kind: 'embedded' }> {
  const state = runningRegistry(data, settings);
  return { kind: 'embedded', data, ...(state && { state }) };
}

function isServedAt({ addresses }: RegistryState, { hostname, port }: RegistryAddress): boolean {
  return servedAt(addresses, { hostname: hostname === 'localhost' ? '127.0.0.1' : hostname, port }) !== undefined;
}

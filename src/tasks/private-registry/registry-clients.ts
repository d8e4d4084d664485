// HTTP clients for the private registry and for the hosts of images. Loaded only if HTTP is used.
import { join } from 'node:path';
import type { OnCopyEvent } from '../../copy/events.ts';
import { ImagesError } from '../../oci/errors.ts';
import { type FullReference, formatReference } from '../../oci/reference.ts';
import { readClientSettings } from '../../registry/client/config/read-client-settings.ts';
import { registryClients } from '../../registry/client/registry-clients.ts';
import type { ClientSettings, HostRule, RetryEvent } from '../../registry/client/settings.ts';
import type { Registry } from '../../registry/contract.ts';
import { type MountSources, mountSources } from '../../transports/mount-sources.ts';
import { callOptions, type TaskCall, type TaskEvents, type World } from '../settings.ts';
import { type LocalRegistries, localRegistries, withLocalRegistries } from './local-registries.ts';
import type { RegistryAddress } from './local-registry.ts';

/** The registries that images come from. Disposing closes the connections. */
export interface ImageHosts extends AsyncDisposable {
  /** The registry of an image's host. Errors: UNSUPPORTED if that is the private registry itself. */
  registryOf(name: FullReference): Registry;
}

/** Uses http unless $LOCAL_REGISTRY says https; never a proxy or a mirror. */
export async function privateRegistryClient(address: RegistryAddress, settings: World & TaskEvents): Promise<Registry> {
  return registryClients(await clientSettings(settings, address)).forHost(address.host);
}

/** For those who open them anew now and then. */
export interface RetirableHosts extends ImageHosts {
  /** Keeps no idle connection any more; what is under way goes on to its end. */
  retire(): void;
}

export interface ImageHostsOptions extends Pick<ClientSettings, 'isStrange'> {
  readonly onEvent?: OnCopyEvent;
}

/** `address` is the private registry's, which is used neither as a source nor as a mirror. Retries become events. */
export async function imageHosts(
  address: RegistryAddress | undefined,
  settings: World & TaskEvents,
  { onEvent, isStrange }: ImageHostsOptions = {},
): Promise<RetirableHosts> {
  const configured = { ...(await clientSettings(settings, address)), ...(isStrange && { isStrange }) };
  const { hostRule } = configured;
  const clients = registryClients({
    ...configured,
    ...(hostRule && { hostRule: async (host, repository) => withoutMirror(await hostRule(host, repository), address) }),
    onRetry: retryEvents(settings, onEvent),
  });
  return {
    registryOf(name) {
      if (name.host !== address?.host) return clients.forHost(name.host);
      throw new ImagesError('UNSUPPORTED', `the private registry is no source of images [${formatReference(name)}]`, {
        hint: 'Name the image as its own registry does.',
      });
    },
    retire: () => clients.retire(),
    [Symbol.asyncDispose]: () => clients[Symbol.asyncDispose](),
  };
}

export interface AnyHosts extends AsyncDisposable {
  forHost(host: string): Registry;
}

/** Any registry as a transport of images, including the private one. Disposing closes the connections. */
export async function anyHosts(
  address: RegistryAddress | undefined,
  settings: World & TaskEvents,
  onEvent?: OnCopyEvent,
): Promise<AnyHosts> {
  return registryClients({
    ...(await clientSettings(settings, address)),
    onRetry: retryEvents(settings, onEvent),
  });
}

/** Asks the host whether it accepts the credentials; false if it asked for none. Errors: UNAUTHORIZED, DENIED, those of every request. */
export async function triedLogin(
  host: string,
  { username, password }: { readonly username: string; readonly password: string },
  settings: World & TaskCall & TaskEvents,
): Promise<boolean> {
  let isTried = false;
  await using clients = registryClients({
    ...(await clientSettings(settings, undefined)),
    credentials: {
      searched: [],
      find: async () => {
        isTried = true;
        return { type: 'password', username, password };
      },
    },
  });
  await clients.ping(host, callOptions(settings));
  return isTried;
}

function retryEvents({ onDebug }: TaskEvents, onEvent: OnCopyEvent | undefined): (event: RetryEvent) => void {
  return (event) => {
    const { host, what, after, why } = event;
    onEvent?.({ type: 'retry', what: `${host} ${what}`, after, why });
    onDebug?.({ topic: 'hosts', event: { type: 'retry', ...event } });
  };
}

/** The known repositories of blobs in the registry at this host, for mounting. `besides`: see `mountSources`. */
export function mountSourcesOf(host: string, { cache }: World, besides?: string): MountSources {
  return mountSources({
    host,
    ...(cache && { directory: join(cache.directory, 'places') }),
    ...(besides !== undefined && { besides }),
  });
}

async function clientSettings(
  settings: World & TaskEvents,
  address: RegistryAddress | undefined,
): Promise<ClientSettings> {
  const { onDebug } = settings;
  const local = localRegistries(settings);
  return {
    ...withLocalRegistries(await readClientSettings(settings), local),
    ...(onDebug && {
      onHttp: (event) => onDebug({ topic: 'http', event }),
      onDecision: (event) => onDebug({ topic: 'hosts', event }),
      onRetry: retryEvents(settings, undefined),
    }),
    ...(address && { privateHosts: [isVerified(address, local) ? `https://${address.host}` : address.host] }),
  };
}

/** Whether it is asked over HTTPS alone, with a certificate that is verified. */
function isVerified({ secure, isFound, host }: RegistryAddress, local: LocalRegistries): boolean {
  return (secure && !isFound) || local.caOf(host) !== undefined;
}

function withoutMirror(rule: HostRule | undefined, address: RegistryAddress | undefined): HostRule | undefined {
  if (!rule || !address) return rule;
  return { ...rule, mirrors: rule.mirrors.filter((mirror) => mirror.host !== address.host) };
}

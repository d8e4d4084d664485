// The options that tasks pass to transports: the world, the call, and the registries as configured.
import type { OnCopyEvent } from '../../copy/events.ts';
import { fullReference } from '../../oci/reference.ts';
import type { LayerSpool } from '../../transports/compressing/contract.ts';
import { interruptible } from '../../transports/interruptible.ts';
import { locate, type OwnLocation } from '../../transports/location.ts';
import type { RegistryAccess, Transport, TransportOptions } from '../../transports/transport.ts';
import { type TransportLocation, transportOf } from '../../transports/transports.ts';
import { privateAddress } from '../private-registry/locate-registry.ts';
import { httpOptions, type Settings, transportOptions, type World } from '../settings.ts';

interface Given {
  readonly spool?: LayerSpool;
  /** The source of the image, as a user writes it. Within one registry its blobs are mounted. */
  readonly from?: string;
  readonly onEvent?: OnCopyEvent;
}

export function openOptions(settings: Settings, given: Given = {}): TransportOptions {
  const { env, home, uid } = settings;
  const { spool } = given;
  return {
    env,
    home,
    uid,
    registries: registryAccess(settings, given),
    ...(spool && { spool }),
    ...httpOptions(settings),
    ...transportOptions(settings),
  };
}

/** The transport of a location, and the part of the location that it takes. */
export function boundTransport(location: TransportLocation | OwnLocation): {
  readonly transport: Transport<unknown>;
  readonly where: unknown;
} {
  if (location.transport === undefined) return { transport: interruptible(location.own), where: location.details };
  return { transport: transportOf(location), where: location };
}

function registryAccess(settings: Settings, { from, onEvent }: Given): RegistryAccess {
  return {
    async open(host) {
      const { anyHosts } = await import('../private-registry/registry-clients.ts');
      const hosts = await anyHosts(await privateAddress(settings), settings, onEvent);
      return { registry: hosts.forHost(host), [Symbol.asyncDispose]: () => hosts[Symbol.asyncDispose]() };
    },
    async mountSources(host) {
      const { mountSourcesOf } = await import('../private-registry/registry-clients.ts');
      return mountSourcesOf(host, settings, from === undefined ? undefined : repositoryAt(host, from, settings));
    },
  };
}

/** The repository of an image, if the image is in the registry at this host. */
function repositoryAt(host: string, from: string, { transports }: World): string | undefined {
  const location = locate(from, transports);
  if (location.transport !== 'docker') return undefined;
  const source = fullReference(location.reference);
  return source.host === host ? source.path : undefined;
}

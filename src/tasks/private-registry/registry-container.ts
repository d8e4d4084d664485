// The private registry as a Docker container named `registry`: the traditional setup of xcluster users.
import * as decode from '../../oci/decode.ts';
import { dockerDaemonIfUsable } from '../../transports/docker-daemon/daemon.ts';
import { callOptions, httpOptions, type Settings } from '../settings.ts';
import { type RegistryAddress, registryAddress } from './local-registry.ts';

const CONTAINER = 'registry';

/** Returns `undefined` if there is no Docker daemon, no running container of this name, or if the container has no address of its own. */
export async function registryContainer(settings: Settings): Promise<RegistryAddress | undefined> {
  using daemon = await dockerDaemonIfUsable({ ...settings, ...httpOptions(settings) });
  const container = await daemon?.inspectContainer(CONTAINER, callOptions(settings));
  if (!container || !part(container, 'State').Running) return undefined;
  const hostname = addressOf(part(container, 'NetworkSettings'));
  if (hostname === undefined) return undefined;
  const env = environmentOf(part(container, 'Config'));
  const secure = env.has('REGISTRY_HTTP_TLS_CERTIFICATE');
  return registryAddress(hostname, portOf(env, container), secure);
}

function addressOf(network: decode.Json): string | undefined {
  const networks = Object.values(part(network, 'Networks')).filter(decode.isObject);
  const attached = [network, ...networks];
  const known = [...attached.map((one) => one.IPAddress), ...attached.map((one) => one.GlobalIPv6Address)];
  return known.find((address): address is string => typeof address === 'string' && address !== '');
}

/** The configured port, or else the first TCP port that the image exposes. */
function portOf(env: ReadonlyMap<string, string>, container: decode.Json): number {
  const told = /:(\d+)$/.exec(env.get('REGISTRY_HTTP_ADDR') ?? '')?.[1];
  const declared = Object.keys(part(part(container, 'Config'), 'ExposedPorts')).find((port) => port.endsWith('/tcp'));
  return Number(told ?? declared?.split('/')[0] ?? 5000);
}

function environmentOf(config: decode.Json): ReadonlyMap<string, string> {
  const lines = Array.isArray(config.Env) ? config.Env.filter((line) => typeof line === 'string') : [];
  return new Map(lines.map((line) => [line.split('=', 1)[0] ?? '', line.slice(line.indexOf('=') + 1)]));
}

function part(value: decode.Json, name: string): decode.Json {
  const inner = value[name];
  return decode.isObject(inner) ? inner : {};
}

// The private registry as nodes see it: all its addresses, its CA, and under which names it has images.
import { readFile } from 'node:fs/promises';
import { isFsError, translateFsError } from '../../io/files/fs-errors.ts';
import { bestOfEachFamily, isLoopback, isUnspecified } from '../../nodes/addresses.ts';
import type { NodeRegistry } from '../../nodes/node-file.ts';
import { ImagesError } from '../../oci/errors.ts';
import { parseRegistryAddress } from '../private-registry/local-registry.ts';
import { locateRegistry } from '../private-registry/locate-registry.ts';
import { ownInterfaces } from '../private-registry/own-interfaces.ts';
import { systemRegistries } from '../private-registry/registry-adverts.ts';
import type { RegistryState } from '../private-registry/registry-record.ts';
import { dataDirectoryIfUsable, runningRegistry } from '../private-registry/registry-state.ts';
import { servedAt } from '../private-registry/served-address.ts';
import { vmAddress } from '../private-registry/vm-address.ts';
import type { Settings } from '../settings.ts';

export interface RegistryChoice {
  /** `HOST[:PORT]` with `http://` or `https://` before it, of one registry; empty: the private registry, at the address that `lreg_ip` prints. */
  readonly registries: readonly string[];
  /** A file with the CA of its certificate, in PEM. Default: the own CA, if it has one. */
  readonly caFile?: string;
}

/** Errors: USAGE, NO_REGISTRY, NOT_RUNNING, ADDRESS_UNAVAILABLE, UNREACHABLE, FILE_UNREADABLE. */
export async function nodeRegistry(choice: RegistryChoice, settings: Settings): Promise<NodeRegistry> {
  const at = choice.registries.length > 0 ? namedAddresses(choice.registries) : await foundAddresses(settings);
  const isNamed = choice.registries.length > 0;
  const state = isNamed ? runningThere(at, settings) : (await locateRegistry(settings))?.state;
  const ca = at.scheme === 'https' ? await authorityOf(choice, state, settings) : undefined;
  const names = state ? 'with-host' : namesOf(choice, settings);
  return { ...at, names, ...(ca !== undefined && { ca }) };
}

type Addresses = Pick<NodeRegistry, 'addresses' | 'port' | 'scheme'>;

function namedAddresses(registries: readonly string[]): Addresses {
  const parsed = registries.map(parsedAddress);
  const [first] = parsed;
  if (!first) throw new Error('no registry is named');
  if (parsed.some(({ port, secure }) => port !== first.port || secure !== first.secure)) {
    throw new ImagesError('USAGE', `these are not addresses of one registry [${registries.join(', ')}]`, {
      hint: 'Several addresses have one port, and all of them http or https.',
    });
  }
  const addresses = [...new Set(parsed.map(({ hostname }) => hostname))];
  const unspecified = addresses.find(isUnspecified);
  if (unspecified !== undefined) {
    throw new ImagesError('USAGE', `nobody can reach a registry at this address [${unspecified}]`, {
      hint: 'Name the one at which nodes reach this machine.',
    });
  }
  return { addresses, port: first.port, scheme: first.secure ? 'https' : 'http' };
}

function parsedAddress(text: string): ReturnType<typeof parseRegistryAddress> {
  try {
    return parseRegistryAddress(text);
  } catch (cause) {
    throw new ImagesError('USAGE', `not the address of a registry [${text.slice(0, 100)}]`, {
      hint: 'Write HOST:PORT, for example 192.168.0.250:80 or https://[fd00::250]:443.',
      cause,
    });
  }
}

/** What `lreg_ip` prints, and the best address of the other family, if the registry listens there. */
async function foundAddresses(settings: Settings): Promise<Addresses> {
  const { ip, port, scheme } = await vmAddress(settings);
  const location = await locateRegistry(settings);
  const there = location?.state?.addresses.filter(
    (at) => at.port === port && (at.tls ?? false) === (scheme === 'https'),
  );
  const others = (there ?? []).flatMap(({ host }) =>
    isUnspecified(host) ? bestOfEachFamily(host, ownInterfaces()) : isLoopback(host) ? [] : [host],
  );
  const ofOtherFamily = others.find((other) => other.includes(':') !== ip.includes(':'));
  return { addresses: ofOtherFamily === undefined ? [ip] : [ip, ofOtherFamily], port, scheme };
}

/** The registry of this user or of the system that runs at the address that is named. */
function runningThere({ addresses, port }: Addresses, settings: Settings): RegistryState | undefined {
  const data = dataDirectoryIfUsable(settings);
  const own = data === undefined ? undefined : runningRegistry(data, settings);
  return [...(own ? [own] : []), ...systemRegistries(settings)].find((state) =>
    addresses.some((hostname) => servedAt(state.addresses, { hostname, port })),
  );
}

/** A registry that was not started by `images` here may be anything. The container `registry` has names without hosts. */
function namesOf({ registries }: RegistryChoice, { env }: Settings): NodeRegistry['names'] {
  return registries.length > 0 || env.LOCAL_REGISTRY ? 'either' : 'stripped';
}

async function authorityOf(
  { caFile }: RegistryChoice,
  state: RegistryState | undefined,
  { onNote }: Settings,
): Promise<string | undefined> {
  const file = caFile ?? state?.caFile;
  if (file === undefined) {
    onNote?.('Nodes have to trust the certificate of the registry by themselves: --ca=FILE names its CA.');
    return undefined;
  }
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (!isFsError(error, 'ENOENT', 'EISDIR')) throw translateFsError(error, file);
    throw new ImagesError('FILE_UNREADABLE', `the CA cannot be read [${file}]`, { cause: error });
  });
  const certificates = certificatesIn(text);
  if (certificates !== '' && !text.includes('PRIVATE KEY')) return certificates;
  throw new ImagesError('CONFIG_INVALID', `not a certificate in PEM [${file}]`, {
    hint: 'It begins with -----BEGIN CERTIFICATE-----, and has no key in it.',
  });
}

/** Nothing else that the file says, and ends of lines as they have to be: it becomes part of several formats. */
function certificatesIn(text: string): string {
  const found = text.matchAll(/-----BEGIN CERTIFICATE-----([\w+/=\s]+)-----END CERTIFICATE-----/g);
  const lines = ([, base64 = '']: RegExpExecArray) => base64.trim().split(/\s+/).join('\n');
  const rewritten = (one: RegExpExecArray) => `-----BEGIN CERTIFICATE-----\n${lines(one)}\n-----END CERTIFICATE-----\n`;
  return [...found].map(rewritten).join('');
}

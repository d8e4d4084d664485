// Registries that run on this machine, as clients of them need to know: which one is at an address, its own CA, and the proof that one can read its secret.
//
// Only announcements that are believed without being named count: the user's own, root's, and those of services to which root gave a directory.
import { isIPv4, isIPv6 } from 'node:net';
import { TOKEN_USER } from '../../access/htpasswd.ts';
import { ownerProof } from '../../access/owner-proof.ts';
import { readOwnedText } from '../../io/files/believed-path.ts';
import { hostAndPort } from '../../io/http/http-url.ts';
import { isOwnAddress } from '../../nodes/addresses.ts';
import type { ClientSettings, Credentials, CredentialsProvider } from '../../registry/client/settings.ts';
import type { World } from '../settings.ts';
import { ownInterfaces } from './own-interfaces.ts';
import { readOwnerSecret } from './owner-secret.ts';
import { believedRegistries } from './registry-adverts.ts';
import type { RegistryState } from './registry-record.ts';
import { runningRegistry, usualDataDirectory } from './registry-state.ts';
import { servedAt } from './served-address.ts';

export interface LocalRegistries {
  /** The certificate of the own CA of the registry that serves HTTPS there, in PEM; `undefined` if there is none, or it cannot be read. */
  caOf(host: string): string | undefined;
  /** The login of the registry that is there and speaks this, for those who can read its secret. Who says which one was refused gets another: the registry may have been started again. */
  loginOf(host: string, scheme: 'http' | 'https', refused?: string): Credentials | undefined;
  /** Why nobody was logged in there: the file of the secret, and what is in the way; `undefined` if no such registry is there. */
  whyNot(host: string): string | undefined;
}

interface KnownLogin {
  readonly at: number;
  readonly login: Credentials | undefined;
  /** Made because the one before was refused. It is not replaced for that reason: who is refused for good must not look again at each request. */
  readonly isAnew: boolean;
}

type LocalSettings = Pick<World, 'env' | 'home' | 'uid' | 'data'>;

const MAX_CERTIFICATE = 64 * 1024;
/** In milliseconds. A proof is good for longer (owner-proof.ts). */
const ASKED_AGAIN = 60_000;

/** Hosts are asked for as clients name them: `127.0.0.1:5000`, `[::1]:5000`. What is found is remembered for a minute. `now` in ms since 1970; for tests. */
export function localRegistries(settings: LocalSettings, now: () => number = Date.now): LocalRegistries {
  const found = new Map<string, { readonly at: number; readonly here: RegistryState | undefined }>();
  const logins = new Map<string, KnownLogin>();
  const at = (host: string, secure?: boolean, isAnew = false): RegistryState | undefined => {
    const key = `${host} ${secure}`;
    const known = found.get(key);
    if (!isAnew && known && performance.now() - known.at < ASKED_AGAIN) return known.here;
    const here = mayBeHere(host) ? everyRegistry(settings).find((state) => serves(state, host, secure)) : undefined;
    found.set(key, { at: performance.now(), here });
    return here;
  };
  return {
    caOf: (host) => {
      const { caFile, uid } = at(host, true) ?? {};
      const read = caFile === undefined ? undefined : readOwnedText(caFile, MAX_CERTIFICATE);
      return read?.uid === uid && read?.text.includes('-----BEGIN CERTIFICATE-----') ? read.text : undefined;
    },
    loginOf: (host, scheme, refused) => {
      const key = `${scheme}://${host}`;
      const known = logins.get(key);
      // By the clock that the registry goes by: others stand still while the machine sleeps, and nobody sets them.
      const isAnew = known !== undefined && isRefused(known.login, refused) && !known.isAnew;
      if (known && !isAnew && Math.abs(now() - known.at) < ASKED_AGAIN) return known.login;
      const login = loginAt(at(host, scheme === 'https', isAnew), now());
      logins.set(key, { at: now(), login, isAnew });
      return login;
    },
    whyNot: (host) => {
      const [, port] = /^localhost(?::(\d+))?$/.exec(host) ?? [];
      const named = host.startsWith('localhost') ? `127.0.0.1${port === undefined ? '' : `:${port}`}` : host;
      const { ownerFile, uid } = at(host) ?? at(named) ?? {};
      if (ownerFile === undefined || uid === undefined) return undefined;
      if (readOwnerSecret(ownerFile, uid) === undefined) return `${ownerFile} (this user cannot read it)`;
      // `localhost` may lead to another address, where somebody else listens.
      if (at(host) === undefined) return `${ownerFile} (it is for ${named}: write that)`;
      return `${ownerFile} (it is for loopback, and for HTTPS that the registry's own CA proves)`;
    },
  };
}

/** The settings of a client that trusts the CAs of these registries, and logs in to them by itself where the user has no credentials for them. */
export function withLocalRegistries(settings: ClientSettings, local: LocalRegistries): ClientSettings {
  const { credentials, tlsFiles } = settings;
  return {
    ...settings,
    ...(credentials && { credentials: withOwnLogin(credentials, local) }),
    tlsFiles: async (host) => {
      const files = (await tlsFiles?.(host)) ?? {};
      const ca = local.caOf(host);
      return ca === undefined ? files : { ...files, ca: [...(files.ca ?? []), ca] };
    },
  };
}

function withOwnLogin(own: CredentialsProvider, local: LocalRegistries): CredentialsProvider {
  return {
    searched: own.searched,
    find: (host, repository) => own.find(host, repository),
    unasked: async (host, repository, scheme, refused) => {
      const login = local.loginOf(host, scheme, refused);
      // What the user has chosen for this registry counts. A machine's token is there for docker and podman, and may be for less than the user's own files allow.
      return login && (isOfUser(await own.find(host, repository)) ? undefined : login);
    },
    searchedFor: (host) => {
      const why = local.whyNot(host);
      return why === undefined ? [] : [why];
    },
  };
}

function isOfUser(own: Credentials | undefined): boolean {
  return own !== undefined && !(own.type === 'password' && own.username === TOKEN_USER);
}

function isRefused(login: Credentials | undefined, refused: string | undefined): boolean {
  return refused !== undefined && login?.type === 'registry-token' && login.token === refused;
}

function loginAt(here: RegistryState | undefined, now: number): Credentials | undefined {
  if (here?.ownerFile === undefined) return undefined;
  const secret = readOwnerSecret(here.ownerFile, here.uid);
  if (secret === undefined) return undefined;
  const token = ownerProof({ secret, registry: here.identity }, now);
  return { type: 'registry-token', token, origin: here.ownerFile };
}

function everyRegistry(settings: LocalSettings): readonly RegistryState[] {
  const directories = [settings.data, settings.env.IMAGES_DATA || undefined, usualDataDirectory(settings)];
  const own = directories.flatMap((data) => (data === undefined ? [] : (runningRegistry(data, settings) ?? [])));
  return [...own.filter(({ uid }) => uid === settings.uid || uid === 0), ...believedRegistries(settings)];
}

/** Without `secure`: whatever it speaks there. */
function serves({ addresses }: RegistryState, host: string, secure?: boolean): boolean {
  return [false, true].some((tls) => {
    // A host without a port has that of what it speaks.
    const found = secure === !tls ? undefined : servedAt(addresses, hostAndPort(host, tls));
    return found !== undefined && (found.tls ?? false) === tls;
  });
}

/** Costs less than looking for announcements. */
function mayBeHere(host: string): boolean {
  const { hostname } = hostAndPort(host, false);
  if (hostname === 'localhost') return true;
  return (isIPv4(hostname) || isIPv6(hostname)) && isOwnAddress(hostname, ownInterfaces());
}

// `login` and `logout`: credentials for a registry, tried and then kept where docker, podman and skopeo look for them.
import { checkArguments, objectWith, TEXT } from '../../oci/arguments.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { canonicalHost, isHostName } from '../../oci/reference.ts';
import type { PasswordLogin } from '../../registry/client/config/credential-helper.ts';
import {
  credentialFile,
  filesWith,
  forgetCredentials,
  type KeptCredentials,
  keepCredentials,
} from '../../registry/client/config/kept-credentials.ts';
import { SETTINGS } from '../arguments.ts';
import { triedLogin } from '../private-registry/registry-clients.ts';
import type { Settings } from '../settings.ts';

export interface LoginRequest extends PasswordLogin {
  /** `HOST[:PORT]`. */
  readonly host: string;
  /** Where the credentials are kept; default: $REGISTRY_AUTH_FILE, $DOCKER_CONFIG/config.json or ~/.docker/config.json. */
  readonly file?: string;
}

export interface LoggedIn extends KeptCredentials {
  readonly host: string;
  /** False if the registry let everybody in, so that the password was not tried. */
  readonly isTried: boolean;
}

/**
 * Asks the registry with these credentials, and keeps them if it accepts them. Errors: UNAUTHORIZED (it does not), USAGE (not a host, an empty user name or
 * password), UNREACHABLE and others of requests, CONFIG_INVALID, NO_ACCESS.
 */
export async function logIn(request: LoginRequest, settings: Settings): Promise<LoggedIn> {
  checkArguments({
    request: [request, objectWith({ host: TEXT, username: TEXT, password: TEXT })],
    settings: [settings, SETTINGS],
  });
  const host = hostOf(request.host);
  const { username, password } = request;
  if (username === '' || username.includes(':') || password === '') {
    throw new ImagesError('USAGE', 'a user name and a password are needed', {
      hint: 'A user name has no colon. Give the password with --password-stdin, or type it on a terminal.',
    });
  }
  // Where there are some already, else these would decide.
  const file = request.file ?? (await filesWith(host, settings))[0] ?? credentialFile(settings);
  const isTried = await triedLogin(host, { username, password }, settings).catch((error: unknown) => {
    if (!isImagesError(error, 'UNAUTHORIZED', 'DENIED')) throw error;
    throw new ImagesError('UNAUTHORIZED', `${host} does not accept this user name and password`, {
      hint: 'Some registries want a token in place of the password of their web page.',
      cause: error,
    });
  });
  return { host, isTried, ...(await keepCredentials(host, { username, password }, { ...settings, file })) };
}

export interface LoggedOut {
  readonly host: string;
  /** Files that had credentials. */
  readonly files: readonly string[];
}

/** Forgets the credentials of a registry, in all files that have some, or in the named one. Errors: USAGE (not a host), CONFIG_INVALID, NO_ACCESS. */
export async function logOut(request: Pick<LoginRequest, 'host' | 'file'>, settings: Settings): Promise<LoggedOut> {
  checkArguments({ request: [request, objectWith({ host: TEXT })], settings: [settings, SETTINGS] });
  const host = hostOf(request.host);
  const known = await filesWith(host, settings);
  const files: string[] = [];
  for (const file of request.file === undefined ? new Set([...known, credentialFile(settings)]) : [request.file]) {
    if (await forgetCredentials(host, { ...settings, file })) files.push(file);
  }
  return { host, files };
}

function hostOf(text: string): string {
  if (isHostName(text)) return canonicalHost(text);
  throw new ImagesError('USAGE', `not the host of a registry [${text}]`, {
    hint: 'Write HOST or HOST:PORT alone: docker.io, 192.168.0.250:5000.',
  });
}

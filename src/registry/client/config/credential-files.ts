// Credentials as docker, podman and skopeo keep them: Docker's config.json (docs.docker.com, "docker login") and containers-auth.json(5).
import { join } from 'node:path';
import { fieldsOf, invalid, isNothing, readJsonFile } from '../../../io/files/read-config-file.ts';
import { runtimeDirectory, userDirectory } from '../../../io/files/user-directories.ts';
import { withoutEnd } from '../../../io/text/trim-end.ts';
import { isObject, type Json } from '../../../oci/decode.ts';
import { canonicalHost, DEFAULT_HOST } from '../../../oci/reference.ts';
import type { Credentials, CredentialsProvider } from '../settings.ts';
import { askHelper } from './credential-helper.ts';

export interface CredentialSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string | undefined;
  /** As in a HelperCall; for tests. */
  readonly lingerMs?: number;
}

/** Docker Hub's name in Docker's files and for its helpers. */
export const DOCKER_HUB_KEY = 'https://index.docker.io/v1/';

/** Looks in the files in order; the first one with the host decides. A file is read only when credentials are needed. */
export function credentialFiles({ env, home, ...patience }: CredentialSources): CredentialsProvider {
  const searched = credentialPaths(env, home);
  const files = new Map<string, Promise<Json | undefined>>();
  const helped = new Map<string, Promise<Credentials | undefined>>();
  const once = <T>(known: Map<string, Promise<T>>, key: string, create: () => Promise<T>): Promise<T> => {
    const value = known.get(key) ?? create();
    known.set(key, value);
    return value;
  };
  const ask = (name: string, server: string, file: string) =>
    once(helped, `${name} ${server}`, () => askHelper({ name, server, file, env, ...patience }));

  return {
    searched,
    async find(host, repository) {
      for (const file of searched) {
        const content = await once(files, file, () => readJsonFile(file));
        const found = content && (await findIn(file, content, { host: canonicalHost(host), repository, ask }));
        if (found) return found;
      }
      return undefined;
    },
  };
}

/** Paths to look at. Those that the environment names come first. */
export function credentialPaths(env: CredentialSources['env'], home: string | undefined): readonly string[] {
  const config = userDirectory('XDG_CONFIG_HOME', { env, home });
  const runtime = runtimeDirectory({ env });
  const searched = [
    env.REGISTRY_AUTH_FILE,
    env.DOCKER_CONFIG && join(env.DOCKER_CONFIG, 'config.json'),
    runtime && join(runtime, 'containers/auth.json'),
    config && join(config, 'containers/auth.json'),
    !env.DOCKER_CONFIG && home && join(home, '.docker/config.json'),
  ];
  return [...new Set(searched.filter((scope) => typeof scope === 'string' && scope !== ''))] as readonly string[];
}

interface Question {
  readonly host: string;
  readonly repository: string | undefined;
  readonly ask: (helper: string, server: string, file: string) => Promise<Credentials | undefined>;
}

/** Order: a helper for this host, the file's own entry, the helper for all hosts. */
async function findIn(
  file: string,
  content: Json,
  { host, repository, ask }: Question,
): Promise<Credentials | undefined> {
  const fields = said(file, content);
  const server = host === DEFAULT_HOST ? DOCKER_HUB_KEY : host;
  const helpers = said(file, fields.object('credHelpers') ?? {});
  const names = host === DEFAULT_HOST ? [host, 'index.docker.io', DOCKER_HUB_KEY] : [host];
  for (const name of names) {
    const helper = helpers.string(name);
    if (helper) return ask(helper, server, file);
  }
  const entry = bestEntry(file, fields.object('auths') ?? {}, repository ? `${host}/${repository}` : host);
  if (entry) return entry;
  const store = fields.string('credsStore');
  return store ? ask(store, server, file) : undefined;
}

/** The entry with the longest key that is the name or a parent of it: `quay.io/org/app`, `quay.io/org`, `quay.io`. */
function bestEntry(file: string, auths: Json, name: string): Credentials | undefined {
  const matching = Object.entries(auths)
    .map(([key, value]) => ({ key, value, scope: scopeOf(key) }))
    .filter(({ scope }) => name === scope || name.startsWith(`${scope}/`))
    .sort((a, b) => b.scope.length - a.scope.length);
  for (const { key, value } of matching) {
    const found = readEntry(file, key, value);
    if (found) return found;
  }
  return undefined;
}

/** Normalises a key: a host name, a URL, or a URL of the registry API version 1. */
export function scopeOf(key: string): string {
  const [, scheme, host = '', path = ''] = /^(https?:\/\/)?([^/]*)(.*)$/is.exec(key) ?? [];
  const namespace = scheme === undefined ? withoutEnd(path, '/').replace(/^\/v[12]$/, '') : '';
  return `${canonicalHost(host)}${namespace}`;
}

/** As `fieldsOf`, ignoring fields that say nothing (see `isNothing`). */
function said(file: string, fields: Json): ReturnType<typeof fieldsOf> {
  return fieldsOf(file, Object.fromEntries(Object.entries(fields).filter(([, value]) => !isNothing(value))));
}

/** Returns `undefined` for an empty entry, which Docker writes if a helper holds the secret. */
function readEntry(file: string, key: string, value: unknown): Credentials | undefined {
  if (isNothing(value)) return undefined;
  if (!isObject(value)) return invalid(file, `has a wrong entry for ${key}`);
  const fields = said(file, value);
  const identity = fields.string('identitytoken');
  if (identity) return { type: 'identity-token', token: identity, origin: file };
  const registry = fields.string('registrytoken')?.trim();
  if (registry !== undefined && !/^[\x21-\x7e]+$/.test(registry)) {
    return invalid(file, `has a broken entry for ${key}: registrytoken is no token`);
  }
  if (registry) return { type: 'registry-token', token: registry, origin: file };
  const auth = fields.string('auth');
  if (auth) return readPassword(file, key, auth);
  const [username, password] = [fields.string('username'), fields.string('password')];
  return username && password ? { type: 'password', username, password, origin: file } : undefined;
}

/** Decodes `user:password`. Returns `undefined` for a lone `:`, without user and password. */
function readPassword(file: string, key: string, auth: string): Credentials | undefined {
  const text = /^[A-Za-z0-9+/_-]+={0,2}$/.test(auth.trim()) ? Buffer.from(auth, 'base64').toString('utf8') : auth;
  const pair = withoutEnd(text, '\0');
  if (pair.trim() === '' || pair.trim() === ':') return undefined;
  const colon = text === auth ? -1 : pair.indexOf(':');
  if (colon <= 0) return invalid(file, `has a broken entry for ${key}: auth is not the base64 of user:password`);
  return { type: 'password', username: pair.slice(0, colon), password: pair.slice(colon + 1), origin: file };
}

// Writes credentials where docker, podman, skopeo and buildah look for them: Docker's config.json, or the file that the environment names. All that the file
// holds besides stays as it is.
import { join } from 'node:path';
import { invalid, isNothing, readJsonFile } from '../../../io/files/read-config-file.ts';
import { replaceFile } from '../../../io/files/replace-file.ts';
import { isObject, type Json } from '../../../oci/decode.ts';
import { ImagesError } from '../../../oci/errors.ts';
import { canonicalHost, DEFAULT_HOST } from '../../../oci/reference.ts';
import { type CredentialSources, credentialPaths, DOCKER_HUB_KEY, scopeOf } from './credential-files.ts';
import { emptyHelper, type PasswordLogin, tellHelper } from './credential-helper.ts';

export interface KeptCredentials {
  readonly file: string;
  /** The helper that has the secret; absent if the file has it. */
  readonly helper?: string;
}

/** The files, in the order in which they are searched, that have credentials of the host itself. Errors: CONFIG_INVALID, FILE_UNREADABLE. */
export async function filesWith(host: string, { env, home }: CredentialSources): Promise<readonly string[]> {
  const found: string[] = [];
  for (const file of credentialPaths(env, home)) {
    const content = await readJsonFile(file);
    if (content && withoutHost(file, content, host).had) found.push(file);
  }
  return found;
}

/** The file that is written: $REGISTRY_AUTH_FILE, $DOCKER_CONFIG/config.json or ~/.docker/config.json, which all of these tools read. Errors: CONFIG_INVALID (no home). */
export function credentialFile({ env, home }: CredentialSources): string {
  if (env.REGISTRY_AUTH_FILE) return env.REGISTRY_AUTH_FILE;
  if (env.DOCKER_CONFIG) return join(env.DOCKER_CONFIG, 'config.json');
  if (home) return join(home, '.docker/config.json');
  throw new ImagesError('CONFIG_INVALID', 'there is no home directory to keep credentials in', {
    hint: 'Name a file with --authfile=FILE or $REGISTRY_AUTH_FILE.',
  });
}

/** Keeps credentials for a host: with the helper that the file names for it, else in the file. Errors: CONFIG_INVALID, NO_ACCESS, NO_SPACE, READ_ONLY. */
export async function keepCredentials(
  host: string,
  login: PasswordLogin,
  at: CredentialSources & { readonly file: string },
): Promise<KeptCredentials> {
  const { file, env } = at;
  const content = (await readJsonFile(file)) ?? {};
  const key = keyOf(host);
  const helper = helperFor(file, content, host);
  if (helper !== undefined) await tellHelper({ name: helper, server: key, file, env }, login);
  const { username, password } = login;
  const auth = helper === undefined ? { auth: Buffer.from(`${username}:${password}`).toString('base64') } : {};
  const { kept } = withoutHost(file, content, host);
  await write(file, { ...content, auths: { ...kept, [key]: auth } });
  return { file, ...(helper !== undefined && { helper }) };
}

/** Forgets the credentials of a host; false if the file had none. Those for a part of the host (`quay.io/org`) stay. Errors: as `keepCredentials`. */
export async function forgetCredentials(
  host: string,
  at: CredentialSources & { readonly file: string },
): Promise<boolean> {
  const { file, env } = at;
  const content = await readJsonFile(file);
  if (!content) return false;
  const helper = helperFor(file, content, host);
  if (helper !== undefined) await emptyHelper({ name: helper, server: keyOf(host), file, env });
  const { kept, had } = withoutHost(file, content, host);
  if (had) await write(file, { ...content, auths: kept });
  return had || helper !== undefined;
}

function keyOf(host: string): string {
  const canonical = canonicalHost(host);
  return canonical === DEFAULT_HOST ? DOCKER_HUB_KEY : canonical;
}

/** The entries for other hosts, and for parts of this one. */
function withoutHost(file: string, { auths }: Json, host: string): { readonly kept: Json; readonly had: boolean } {
  if (isNothing(auths)) return { kept: {}, had: false };
  if (!isObject(auths)) return invalid(file, 'has wrong auths');
  const scope = canonicalHost(host);
  const kept = Object.entries(auths).filter(([key]) => scopeOf(key) !== scope);
  return { kept: Object.fromEntries(kept), had: kept.length < Object.keys(auths).length };
}

function helperFor(file: string, { credHelpers, credsStore }: Json, host: string): string | undefined {
  if (!isNothing(credHelpers) && !isObject(credHelpers)) return invalid(file, 'has wrong credHelpers');
  const scope = canonicalHost(host);
  const own = Object.entries(credHelpers ?? {}).find(([key]) => scopeOf(key) === scope)?.[1];
  const named = isNothing(own) ? credsStore : own;
  return typeof named === 'string' && named !== '' ? named : undefined;
}

/** A new file is for its owner only. */
async function write(file: string, content: Json): Promise<void> {
  await replaceFile(file, `${JSON.stringify(content, undefined, '\t')}\n`, { mode: 0o600 });
}

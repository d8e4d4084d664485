// References: `[host/]path[:tag][@digest]` (grammar: github.com/distribution/reference; names and tags: distribution specification 1.1, "Pulling manifests").
import { type Digest, isDigest } from './digest.ts';
import { ImagesError } from './errors.ts';

/** A reference as it was written, without defaults filled in. */
export interface Reference {
  /** `docker.io`, `quay.io`, `localhost:5000`, `[fd00::1]:5000`. */
  readonly host?: string;
  /** The repository's path at the host: `library/alpine`. */
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

/** A reference with its host, with `library/` where Docker Hub implies it, and with a tag or a digest. */
export interface FullReference extends Reference {
  readonly host: string;
}

export const DEFAULT_HOST = 'docker.io';
export const DEFAULT_TAG = 'latest';

const PATH_PART = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const PATH = new RegExp(`^${PATH_PART}(?:/${PATH_PART})*$`);
const TAG = /^\w[\w.-]{0,127}$/;
const HOST_LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const HOST = new RegExp(
  `^(?:${HOST_LABEL}(?:\\.${HOST_LABEL})*|\\[[0-9a-fA-F:.]+(?:%25[\\w.-]+)?\\])(?::(\\d{1,5}))?$`,
);
const MAX_PORT = 65_535;
const DOCKER_HUB: readonly string[] = [
  'docker.io',
  'index.docker.io',
  'registry-1.docker.io',
  'registry.hub.docker.com',
];
const MAX_NAME = 255;

export function isRepositoryPath(text: string): boolean {
  return text.length <= MAX_NAME && PATH.test(text);
}

export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** Whether the part before the first `/` is a host, by Docker's rule: it has a dot, a port or capital letters, or is `localhost`. */
export function isHost(text: string): boolean {
  return /[.:A-Z]/.test(text) ? isAddress(text) : text === 'localhost';
}

/** Whether a text can be the recorded host of an image. Unlike `isHost` it accepts a single word, because no path can be meant here. */
export function isHostName(text: string): boolean {
  return text.length <= MAX_NAME && (isHost(text) || /^\w[\w-]*$/.test(text));
}

/** Whether a host can be connected to: its port is 1 to 65535, and what is in brackets is an IPv6 address. */
function isAddress(text: string): boolean {
  const match = HOST.exec(text);
  if (!match) return false;
  const port = match[1] === undefined ? undefined : Number(match[1]);
  if (port !== undefined && (port < 1 || port > MAX_PORT)) return false;
  return !text.startsWith('[') || URL.canParse(`http://${text.replace(/(?:%25[^\]]*)?\].*$/, ']')}/`);
}

/** Parses `[host/]path[:tag][@digest]` without filling in defaults. Errors: REFERENCE_INVALID, which says which part is wrong. */
export function parseReference(text: string): Reference {
  const at = text.indexOf('@');
  // A digest has no slash, so an `@` before a slash follows a user name, and a password may stand before it.
  const user = text.lastIndexOf('@', text.lastIndexOf('/'));
  if (user >= 0) refuse(`***${text.slice(user)}`, 'a reference holds no user: see `images login`');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigest(digest)) refuse(text, `[${digest}] is not a digest`);
  const name = at < 0 ? text : text.slice(0, at);
  const colon = name.lastIndexOf(':');
  const hasTag = colon > name.lastIndexOf('/');
  const tag = hasTag ? name.slice(colon + 1) : undefined;
  if (tag !== undefined && !isTag(tag)) refuse(text, `[${tag}] is not a tag`);
  const repository = hasTag ? name.slice(0, colon) : name;
  const slash = repository.indexOf('/');
  const first = slash < 0 ? '' : repository.slice(0, slash);
  const host = first !== '' && isHost(first) ? canonicalHost(first) : undefined;
  const path = host === undefined ? repository : repository.slice(slash + 1);
  if (path === '') refuse(text, 'it names no repository');
  if (!isRepositoryPath(path)) refuse(text, whatIsWrongWithHost(first) ?? whatIsWrong(path));
  if (host === undefined && /^[0-9a-f]{64}$/.test(path)) refuse(text, 'it looks like an image id');
  return { ...(host && { host }), path, ...(tag && { tag }), ...(digest && { digest: digest as Digest }) };
}

/** Like `parseReference`, but returns `undefined` if the text is no reference. */
export function tryParseReference(text: string): Reference | undefined {
  try {
    return parseReference(text);
  } catch {
    return undefined;
  }
}

/** Fills in Docker's defaults: `docker.io`, `library/`, and the tag `latest` if there is neither tag nor digest. */
export function fullReference(reference: Reference): FullReference {
  const host = reference.host ?? DEFAULT_HOST;
  const path = host === DEFAULT_HOST && !reference.path.includes('/') ? `library/${reference.path}` : reference.path;
  const tag = reference.tag ?? (reference.digest ? undefined : DEFAULT_TAG);
  return { host, path, ...(tag && { tag }), ...(reference.digest && { digest: reference.digest }) };
}

/** `host/path:tag@digest`, as `parseReference` takes it. */
export function formatReference(reference: Reference): string {
  const name = reference.host ? `${reference.host}/${reference.path}` : reference.path;
  return `${name}${reference.tag ? `:${reference.tag}` : ''}${reference.digest ? `@${reference.digest}` : ''}`;
}

/** What to ask the registry for: the digest if there is one, because `name:tag@digest` is pulled by digest; else the tag. */
export function tagOrDigest(reference: Reference): string {
  return reference.digest ?? reference.tag ?? DEFAULT_TAG;
}

/** Lower case, because host names ignore case; `docker.io` for all spellings of Docker Hub. */
export function canonicalHost(host: string): string {
  const lower = host.toLowerCase();
  return DOCKER_HUB.includes(lower) ? DEFAULT_HOST : lower;
}

/** What is wrong with a text that was meant as a host; `undefined` if it was not meant as one. */
function whatIsWrongWithHost(first: string): string | undefined {
  const [, name, port] = /^(\[.*\]|[^:[\]]+):(\d+)$/.exec(first) ?? [];
  if (name !== undefined && port !== undefined && (Number(port) < 1 || Number(port) > MAX_PORT)) {
    return `its port is not between 1 and ${MAX_PORT} [${port}]`;
  }
  return first.startsWith('[') ? `[${first}] is no IPv6 address` : undefined;
}

function whatIsWrong(path: string): string {
  if (path.length > MAX_NAME) return `its name is longer than ${MAX_NAME} characters`;
  if (/[A-Z]/.test(path)) return 'a repository name has no capital letters';
  if (/\s/.test(path)) return 'a repository name has no spaces';
  return `[${path}] is not a repository name`;
}

function refuse(text: string, why: string): never {
  throw new ImagesError('REFERENCE_INVALID', `not an image reference [${text}]: ${why}`, {
    hint: 'Write [host/]name[:tag][@digest], for example docker.io/library/alpine:3.20.',
  });
}

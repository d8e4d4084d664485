// References: `[host/]path[:tag][@digest]` (grammar: github.com/distribution/reference; names and tags: distribution specification 1.1, "Pulling manifests").
import { type Digest, isDigest } from './digest.ts';
import { ImagesError } from './errors.ts';

/** A reference as it was written: nothing filled in. */
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

/** The rule that Docker made: what stands before the first `/` is a host if it has a dot, a port or capitals, or is `localhost`. */
export function isHost(text: string): boolean {
  return /[.:A-Z]/.test(text) ? isAddress(text) : text === 'localhost';
}

/** What images are recorded under as their host: one word, too, which stands for a host where no path can be meant. */
export function isHostName(text: string): boolean {
  return text.length <= MAX_NAME && (isHost(text) || /^\w[\w-]*$/.test(text));
}

/** What can be connected to: no port but 1 to 65535, and in brackets an IPv6 address. */
function isAddress(text: string): boolean {
  const match = HOST.exec(text);
  if (!match) return false;
  const port = match[1] === undefined ? undefined : Number(match[1]);
  if (port !== undefined && (port < 1 || port > MAX_PORT)) return false;
  return !text.startsWith('[') || URL.canParse(`http://${text.replace(/(?:%25[^\]]*)?\].*$/, ']')}/`);
}

/** `[host/]path[:tag][@digest]` as it is written: nothing is filled in. Errors: REFERENCE_INVALID, naming what is wrong with it. */
export function parseReference(text: string): Reference {
  const at = text.indexOf('@');
  // No digest has a slash: that is the host after a user's name, and what stands before it may be a password.
  const user = text.lastIndexOf('@', text.lastIndexOf('/'));
  if (user >= 0) refuse(`***${text.slice(user)}`, 'a reference holds no user: see `docker login`');
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

/** `undefined` where the text is no reference. */
export function tryParseReference(text: string): Reference | undefined {
  try {
    return parseReference(text);
  } catch {
    return undefined;
  }
}

/** Fills in what Docker implies: `docker.io`, `library/`, and `latest` where there is neither tag nor digest. */
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

/** What a registry is asked for: the digest where there is one, as `name:tag@digest` is pulled by digest. */
export function tagOrDigest(reference: Reference): string {
  return reference.digest ?? reference.tag ?? DEFAULT_TAG;
}

/** All spellings of Docker Hub are `docker.io`; host names ignore case. */
export function canonicalHost(host: string): string {
  const lower = host.toLowerCase();
  return DOCKER_HUB.includes(lower) ? DEFAULT_HOST : lower;
}

/** Of what was meant for a host and is none. */
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

// Joins the separate parts of a reference (registry, repository, tag, digest), as charts and operators do. Pure.
import { withoutEnd } from '../io/text/trim-end.ts';
import { isHost } from '../oci/reference.ts';

export interface ReferenceParts {
  readonly registry?: string;
  readonly repository?: string;
  readonly name?: string;
  /** `name` is the last part of the image's name, and not the name of the list entry. */
  readonly isNamePart?: boolean;
  /** The parts are fields of an `image:`, so `name` can only be the name of the image. */
  readonly isImage?: boolean;
  readonly tag?: string;
  readonly digest?: string;
}

export interface Joined {
  readonly image: string;
  /** Why the parts may have another meaning. */
  readonly doubt?: string;
}

/** Returns `undefined` if a part is a template or there is no name. The registry is ignored if the repository begins with a host. */
export function joinParts(parts: ReferenceParts): Joined | undefined {
  const all = [parts.registry, parts.repository, parts.name, parts.tag, parts.digest];
  if (
    all.some(
      (part) => part !== undefined && /[{}$<>\s]|:\/\/(?!$)/.test(part.replace(/^(?:docker|https?|oci):\/\//, '')),
    )
  ) {
    return undefined;
  }
  const repository = joinName(parts);
  if (repository === undefined || repository.image === '') return undefined;
  return { ...repository, image: repository.image + versionOf(parts) };
}

function joinName({ registry, repository, name, isNamePart, isImage }: ReferenceParts): Joined | undefined {
  const host = trimSlashes(registry);
  if (repository === undefined) return name === undefined ? undefined : { image: underHost(host, trimSlashes(name)) };
  const path = trimSlashes(repository);
  if (name === undefined || path.endsWith(`/${name}`) || path === name) return { image: underHost(host, path) };
  const under = underHost(host, `${path}/${name}`);
  if (isNamePart) return { image: hasHost(name) ? name : under };
  // In `name: prometheus` beside `repository: quay.io/prometheus/prometheus`, the name is that of the entry.
  const depth = path.split('/').length - (hasHost(path) ? 1 : 0);
  if (depth >= 2 || (depth === 1 && !hasHost(path) && host === '' && !isImage)) return { image: underHost(host, path) };
  return { image: under, doubt: 'it is not clear whether the name belongs to the repository' };
}

function underHost(host: string, path: string): string {
  return host === '' || hasHost(path) || path.startsWith(`${host}/`) ? path : `${host}/${path}`;
}

/** Whether the path begins with a host. A single part is never a host. */
function hasHost(path: string): boolean {
  const slash = path.indexOf('/');
  return slash > 0 && isHost(path.slice(0, slash));
}

function versionOf({ tag, digest }: ReferenceParts): string {
  const isDigestTag = tag !== undefined && /^@?sha(?:256|512):/.test(tag);
  const hash = digest ?? (isDigestTag ? tag : undefined);
  const version = isDigestTag || tag === undefined ? '' : `:${tag.replace(/^:/, '')}`;
  if (hash === undefined) return version;
  const bare = hash.replace(/^@/, '');
  return `${version}@${/^[0-9a-f]{64}$/.test(bare) ? `sha256:${bare}` : bare}`;
}

function trimSlashes(text: string | undefined): string {
  return withoutEnd((text ?? '').replace(/^(?:docker|https?|oci):\/\//, '').replace(/^\/+/, ''), '/');
}

// Where an image is, as text: `transport:details`, as skopeo writes it (containers-transports(5)), or a bare name. Pure. Relies on oci/reference.
import { type Digest, isDigest } from '../oci/digest.ts';
import { ImagesError } from '../oci/errors.ts';
import { nearest } from '../oci/nearest.ts';
import { formatReference, parseReference, type Reference, tryParseReference } from '../oci/reference.ts';
import { formatStorageDetails, parseStorageDetails, type StorageImage, type StoreSpec } from './storage-location.ts';

/** A path of a layout, and which of its images: by the annotation `org.opencontainers.image.ref.name`, by place in index.json, by digest; else the only one. */
export interface LayoutPlace {
  readonly path: string;
  readonly ref?: string;
  /** From 0. */
  readonly index?: number;
  readonly digest?: Digest;
}

export type Location =
  | { readonly transport: 'docker'; readonly reference: Reference }
  | { readonly transport: 'docker-daemon'; readonly reference: Reference }
  | { readonly transport: 'docker-daemon'; readonly id: Digest; readonly reference?: undefined }
  /** `index`, from 0, is the place in the archive's manifest.json. With neither: the only image. */
  | {
      readonly transport: 'docker-archive';
      readonly path: string;
      readonly reference?: Reference;
      readonly index?: number;
    }
  | ({ readonly transport: 'oci' } & LayoutPlace)
  | ({ readonly transport: 'oci-archive' } & LayoutPlace)
  | { readonly transport: 'dir'; readonly path: string }
  /** Without `store`: the default one. */
  | ({ readonly transport: 'containers-storage'; readonly store?: StoreSpec } & StorageImage)
  /** A bare name; `maybeId` where the text can also be the beginning of an image id, which counts where the name is unknown. */
  | { readonly transport: 'name'; readonly reference: Reference; readonly maybeId?: string }
  /** A bare image id, or the beginning of one: hexadecimal digits. */
  | { readonly transport: 'id'; readonly id: string };

export type TransportName = Exclude<Location['transport'], 'name' | 'id'>;

const TRANSPORTS: Readonly<Record<TransportName, { parse(details: string, text: string): Location; form: string }>> = {
  docker: { parse: parseDocker, form: 'docker://[host/]name[:tag][@digest]' },
  'docker-daemon': { parse: parseDaemon, form: 'docker-daemon:name:tag or docker-daemon:sha256:HEX' },
  'docker-archive': {
    parse: parseDockerArchive,
    form: 'docker-archive:FILE[:name[:tag]] or docker-archive:FILE:@INDEX',
  },
  oci: { parse: (details, text) => ({ transport: 'oci', ...parseLayout(details, text) }), form: 'oci:DIR[:NAME]' },
  'oci-archive': {
    parse: (details, text) => ({ transport: 'oci-archive', ...parseLayout(details, text) }),
    form: 'oci-archive:FILE[:NAME]',
  },
  dir: { parse: parseDir, form: 'dir:DIR' },
  'containers-storage': {
    parse: (details, text) => ({
      transport: 'containers-storage',
      ...parseStorageDetails(details, (why) => refuse(text, why)),
    }),
    form: 'containers-storage:[STORE]name[:tag]',
  },
};

const NAMES = Object.keys(TRANSPORTS) as readonly TransportName[];
/** Of skopeo's, those that hold nothing that a cluster runs. */
const UNSUPPORTED: readonly string[] = ['sif', 'tarball', 'ostree', 'atomic', 'docker-tar'];
/** The grammar of `org.opencontainers.image.ref.name` (OCI image specification 1.1, annotations.md). */
const COMPONENT = '[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*';
const REF_NAME = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const ID = /^[0-9a-f]{64}$/;
const SHORT_ID = /^[0-9a-f]{3,63}$/;

/** `transport:details` or a bare name, as a user writes it. Errors: REFERENCE_INVALID, with what was probably meant. */
export function parseLocation(text: string): Location {
  const colon = text.indexOf(':');
  const prefix = colon < 0 ? '' : text.slice(0, colon);
  const details = text.slice(colon + 1);
  // `docker:27` is an image: this transport has the slashes.
  if (isTransport(prefix) && (prefix !== 'docker' || details.startsWith('/'))) {
    return TRANSPORTS[prefix].parse(details, text);
  }
  refuseMistakes(text, prefix, details);
  return parseBare(text, prefix);
}

/** A location as `parseLocation` takes it. */
export function formatLocation(location: Location): string {
  switch (location.transport) {
    case 'name':
      return formatReference(location.reference);
    case 'id':
      return location.id;
    case 'docker':
      return `docker://${formatReference(location.reference)}`;
    case 'docker-daemon':
      return `docker-daemon:${location.reference ? formatReference(location.reference) : location.id}`;
    case 'docker-archive': {
      const { path, reference, index } = location;
      const which = reference ? `:${formatReference(reference)}` : index === undefined ? '' : `:@${index}`;
      return `docker-archive:${path}${which}`;
    }
    case 'oci':
    case 'oci-archive': {
      const { transport, path, ref, index } = location;
      const at = location.digest ?? index;
      return `${transport}:${path}${ref !== undefined ? `:${ref}` : at === undefined ? '' : `:@${at}`}`;
    }
    case 'dir':
      return `dir:${location.path}`;
    case 'containers-storage':
      return `containers-storage:${formatStorageDetails(location)}`;
  }
}

/** How a transport is written, for messages. */
export function transportForm(name: TransportName): string {
  return TRANSPORTS[name].form;
}

function parseDocker(details: string, text: string): Location {
  if (!details.startsWith('//')) refuse(text, 'two slashes are lacking', `Write docker:/${details}.`);
  return { transport: 'docker', reference: parseReference(details.slice(2)) };
}

function parseDaemon(details: string, text: string): Location {
  if (isDigest(details)) {
    if (!details.startsWith('sha256:')) refuse(text, 'an image id is sha256');
    return { transport: 'docker-daemon', id: details };
  }
  const reference = parseReference(details);
  if (reference.host === undefined && reference.path === 'sha256') refuse(text, 'an image id has 64 digits');
  if (reference.tag && reference.digest) refuse(text, 'a tag and a digest at once');
  return { transport: 'docker-daemon', reference };
}

function parseDockerArchive(details: string, text: string): Location {
  const { path, rest } = splitPath(details, text);
  const transport = 'docker-archive';
  if (rest === undefined) return { transport, path };
  if (rest.startsWith('@')) return { transport, path, index: parseIndex(rest, text) };
  if (rest === '') refuse(text, 'no name after the last colon');
  const reference = parseReference(rest);
  if (reference.digest) refuse(text, 'these archives know no digests', 'Name the tag, or write :@0, :@1, ….');
  return { transport, path, reference };
}

function parseLayout(details: string, text: string): LayoutPlace {
  // Nobody means a directory `DIR@sha256` here.
  const byDigest = /^([^:]+?)(?::)?@(sha(?:256|512):[0-9a-f]+)$/.exec(details);
  if (byDigest?.[1] && isDigest(byDigest[2])) return { path: byDigest[1], digest: byDigest[2] };
  const { path, rest } = splitPath(details, text);
  if (rest === undefined || rest === '') return { path };
  if (rest.startsWith('@')) return { path, index: parseIndex(rest, text) };
  if (!REF_NAME.test(rest)) refuse(text, `[${rest}] cannot be a name in a layout`);
  return { path, ref: rest };
}

function parseDir(details: string, text: string): Location {
  if (details === '') refuse(text, 'no directory');
  return { transport: 'dir', path: details };
}

/** The path ends at the first colon. */
function splitPath(details: string, text: string): { readonly path: string; readonly rest?: string } {
  const colon = details.indexOf(':');
  const path = colon < 0 ? details : details.slice(0, colon);
  if (path === '') refuse(text, 'no path');
  return colon < 0 ? { path } : { path, rest: details.slice(colon + 1) };
}

function parseIndex(rest: string, text: string): number {
  const index = Number(rest.slice(1));
  if (!/^@\d+$/.test(rest) || !Number.isSafeInteger(index)) refuse(text, `[${rest}] is no place in a list`);
  return index;
}

function parseBare(text: string, prefix: string): Location {
  const id = prefix === 'sha256' ? text.slice(prefix.length + 1) : text;
  if (ID.test(id) || (prefix === 'sha256' && SHORT_ID.test(id))) return { transport: 'id', id };
  const reference = parseReference(text);
  return { transport: 'name', reference, ...(SHORT_ID.test(text) && { maybeId: text }) };
}

/** What can be an image's name is one, except where it is all too close to a transport that no image is called like. */
function refuseMistakes(text: string, prefix: string, details: string): void {
  if (prefix === '') {
    if (isTransport(text)) refuse(text, 'nothing after the transport', `Write ${TRANSPORTS[text].form}.`);
    return;
  }
  if (UNSUPPORTED.includes(prefix)) refuse(text, `the transport ${prefix} is not supported`);
  if (/^https?$/.test(prefix) && details.startsWith('//')) {
    refuse(text, 'a reference has no scheme', `Write docker:${details.replace(/\/v2\//, '/')}.`);
  }
  const meant = nearest(prefix, NAMES) as TransportName | undefined;
  if (!meant || prefix.includes('/')) return;
  const isName = tryParseReference(text) !== undefined;
  if (!isName || meant.includes('-')) refuse(text, `no such transport [${prefix}]`, `Write ${TRANSPORTS[meant].form}.`);
}

function isTransport(text: string): text is TransportName {
  return Object.hasOwn(TRANSPORTS, text);
}

function refuse(text: string, why: string, hint?: string): never {
  const colon = text.indexOf(':');
  const known = colon > 0 && isTransport(text.slice(0, colon)) ? (text.slice(0, colon) as TransportName) : undefined;
  throw new ImagesError('REFERENCE_INVALID', `not a place of an image [${text}]: ${why}`, {
    hint: hint ?? (known ? `Write ${TRANSPORTS[known].form}.` : `Write a name, or one of ${NAMES.join(', ')}.`),
  });
}

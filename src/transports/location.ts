// Parses the location of an image: `transport:details`, as skopeo writes it (containers-transports(5)), or a bare name. Pure. Relies on transports.ts.
import { ImagesError } from '../oci/errors.ts';
import { nearest } from '../oci/nearest.ts';
import { formatReference, parseReference, type Reference, tryParseReference } from '../oci/reference.ts';
import type { Transport } from './transport.ts';
import { prefixOf, TRANSPORTS, type TransportLocation, transportNamed, transportOf } from './transports.ts';

/** A location without a transport. */
export type BareLocation =
  /** `maybeId` is set if the text may also be the beginning of an image id: it is used if the name is unknown. */
  | { readonly transport: 'name'; readonly reference: Reference; readonly maybeId?: string }
  /** An image id or its beginning: hexadecimal digits. */
  | { readonly transport: 'id'; readonly id: string };

export type Location = TransportLocation | BareLocation;

/** A location in a transport that the caller of the library defined. */
export interface OwnLocation {
  readonly transport?: undefined;
  readonly own: Transport;
  /** The text after the colon. */
  readonly details: string;
}

/** Transports of skopeo that hold nothing that a cluster runs. */
const UNSUPPORTED: readonly string[] = ['sif', 'tarball', 'ostree', 'atomic', 'docker-tar'];
const ID = /^[0-9a-f]{64}$/;
const SHORT_ID = /^[0-9a-f]{3,63}$/;

/** Parses `transport:details` or a bare name. Errors: REFERENCE_INVALID, with what was probably meant. */
export function parseLocation(text: string): Location {
  const { prefix, details } = splitText(text);
  const transport = transportNamed(prefix);
  // `docker:27` is an image: a location of the transport has slashes.
  if (transport && details.startsWith(prefixOf(transport).charAt(prefix.length + 1))) {
    return transport.parse(details, (why, hint) => refuse(text, why, hint));
  }
  refuseMistakes(text, prefix, details);
  return parseBare(text, prefix);
}

/** Like `parseLocation`, but the caller's own transports come first. */
export function locate(text: string, transports: readonly Transport[] = []): Location | OwnLocation {
  const { prefix, details } = splitText(text);
  const own = transports.find(({ name }) => name === prefix);
  return own ? { own, details } : parseLocation(text);
}

/** The text of a location, as `parseLocation` accepts it. */
export function formatLocation(location: Location | OwnLocation): string {
  switch (location.transport) {
    case undefined:
      return `${location.own.name}:${location.details}`;
    case 'name':
      return formatReference(location.reference);
    case 'id':
      return location.id;
    default:
      return `${location.transport}:${transportOf(location).format(location)}`;
  }
}

function splitText(text: string): { readonly prefix: string; readonly details: string } {
  const colon = text.indexOf(':');
  return { prefix: colon < 0 ? '' : text.slice(0, colon), details: text.slice(colon + 1) };
}

function parseBare(text: string, prefix: string): Location {
  const id = prefix === 'sha256' ? text.slice(prefix.length + 1) : text;
  if (ID.test(id) || (prefix === 'sha256' && SHORT_ID.test(id))) return { transport: 'id', id };
  const reference = parseReference(text);
  return { transport: 'name', reference, ...(SHORT_ID.test(text) && { maybeId: text }) };
}

/** A text that can be an image's name is accepted as one, unless it resembles a transport whose name no image has (it contains a hyphen). */
function refuseMistakes(text: string, prefix: string, details: string): void {
  if (prefix === '') {
    const alone = transportNamed(text);
    if (alone) refuse(text, 'nothing after the transport', `Write ${alone.form}.`);
    return;
  }
  if (UNSUPPORTED.includes(prefix)) refuse(text, `the transport ${prefix} is not supported`);
  if (/^https?$/.test(prefix) && details.startsWith('//')) {
    refuse(text, 'a reference has no scheme', `Write docker:${details.replace(/\/v2\//, '/')}.`);
  }
  const meant = transportNamed(nearest(prefix, names()) ?? '');
  if (!meant || prefix.includes('/')) return;
  const isName = tryParseReference(text) !== undefined;
  if (!isName || meant.name.includes('-')) refuse(text, `no such transport [${prefix}]`, `Write ${meant.form}.`);
}

function names(): readonly string[] {
  return TRANSPORTS.map(({ name }) => name);
}

function refuse(text: string, why: string, hint?: string): never {
  const known = transportNamed(splitText(text).prefix);
  throw new ImagesError('REFERENCE_INVALID', `not a location of an image [${text}]: ${why}`, {
    hint: hint ?? (known ? `Write ${known.form}.` : `Write a name, or one of ${names().join(', ')}.`),
  });
}

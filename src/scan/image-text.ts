// Is this text an image reference, a placeholder for one, or something else? Relies on oci/reference.ts for the grammar.
import { isHost, type Reference, tryParseReference } from '../oci/reference.ts';

export type Judged =
  | { readonly kind: 'image'; readonly image: string; readonly reference: Reference }
  | { readonly kind: 'placeholder'; readonly text: string }
  | { readonly kind: 'nothing' };

/** Longer than any reference, and than a placeholder for one. */
const MAX_LENGTH = 1000;
const NOTHING: Judged = { kind: 'nothing' };
const QUOTES = /^(['"`])(.*)\1$/s;
/** The transports' names of image references; `oci://` is what Helm, Flux and Tekton write. */
const SCHEME = /^(?:docker|oci|docker-pullable|docker-daemon):\/\//;
/** Templates and variables of all kinds, and words that ask to be replaced. */
const PLACEHOLDER =
  /\{\{|\}\}|\$[({A-Za-z_]|\[\[|<[^>]*>|%[A-Za-z_]+%|@[A-Z_]+@|__\w+__|\b(?:REPLACE|CHANGE|FIX|YOUR|MY)[-_]?ME\b|(?:^|[/:])(?:REPLACE|CHANGE|FIX)[-_]?ME\b/i;
/** `IMAGE`, `REGISTRY/app`, `app:VERSION`, `your-registry/app`. */
const CAPITALS = /^[A-Z][A-Z0-9_-]*(?:[:/@][A-Z][A-Z0-9_-]*)*$|^[A-Z][A-Z0-9_-]*\/|:(?:[A-Z]+_)*(?:TAG|VERSION)$/;
const WORDS = /(?:^|[/:-])placeholder(?:$|[/:-])|(?:^|\/)your[-_]/i;
/** All that a reference is made of. */
const CHARACTERS = /^[\w[][\w.:@/[\]%-]*$/;
const PATH_OR_ADDRESS = /^(?:[/.~]|[a-z][a-z0-9+.-]*:\/\/)/i;
/** Pictures, disks and archives go by `image:` too. */
const FILE_NAME =
  /\.(?:png|jpe?g|gif|svg|ico|webp|bmp|qcow2?|raw|img|iso|vmdk|vdi|vhdx?|ova|ovf|tar|tgz|gz|xz|bz2|zst|zip|ya?ml|json|txt|html?|md|sh|exe|deb|rpm|jar)$/i;

/** Disks of clouds: Amazon's by their ids, Google's by their paths. */
const CLOUD_DISK = /^ami-[0-9a-f]{8,17}$|^projects\/[\w-]+\/global\/images\//;

/** Judges a text that stands where an image reference belongs. Quotes, blanks and the transport's name are taken off. */
export function judgeImage(value: unknown): Judged {
  if (typeof value !== 'string') return NOTHING;
  const text = bare(value);
  if (text === '' || text.length > MAX_LENGTH) return NOTHING;
  if (PLACEHOLDER.test(text) || CAPITALS.test(text) || WORDS.test(text)) return { kind: 'placeholder', text };
  if (PATH_OR_ADDRESS.test(text) || !CHARACTERS.test(text)) return NOTHING;
  const reference = tryParseReference(text);
  return reference ? { kind: 'image', image: text, reference } : NOTHING;
}

/** As judgeImage, for places where other things than container images stand too: pictures, disks, files. */
export function judgeImageWithCare(value: unknown): Judged {
  const judged = judgeImage(value);
  if (judged.kind !== 'image') return judged;
  if (CLOUD_DISK.test(judged.image)) return NOTHING;
  return FILE_NAME.test(judged.reference.path) && !judged.reference.digest ? NOTHING : judged;
}

/** Nothing but an image reference is written like this: a host with a dot, a path, and a tag or a digest. */
export function isUnmistakable(reference: Reference): boolean {
  return hasRealHost(reference) && (reference.tag !== undefined || reference.digest !== undefined);
}

/** A host as registries have it: a domain name, an address, a port, or `localhost`. */
export function hasRealHost({ host }: Reference): boolean {
  if (host === undefined || !isHost(host)) return false;
  return /^(?:[\w-]+\.)+[a-z][\w-]*(?::\d+)?$|^localhost|^\[|^\d+(?:\.\d+){3}|:\d+$/i.test(host);
}

function bare(value: string): string {
  const trimmed = value.trim();
  if (trimmed.length > MAX_LENGTH) return trimmed;
  return trimmed.replace(QUOTES, '$2').trim().replace(SCHEME, '');
}

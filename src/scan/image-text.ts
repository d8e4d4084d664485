// Decides whether a text is an image reference, a placeholder for one, or something else. Relies on oci/reference.ts for the grammar.
import { isHost, type Reference, tryParseReference } from '../oci/reference.ts';

export type Judged =
  | { readonly kind: 'image'; readonly image: string; readonly reference: Reference }
  | { readonly kind: 'placeholder'; readonly text: string }
  | { readonly kind: 'nothing' };

/** Longer than any reference or placeholder. */
const MAX_LENGTH = 1000;
const NOTHING: Judged = { kind: 'nothing' };
const QUOTES = /^(['"`])(.*)\1$/s;
/** Transport prefixes of image references. `oci://` is used by Helm, Flux and Tekton. */
const SCHEME = /^(?:docker|oci|docker-pullable|docker-daemon):\/\//;
/** Templates and variables of all kinds, and words that ask to be replaced. */
const PLACEHOLDER =
  /\{\{|\}\}|\$[({A-Za-z_]|\[\[|<[^>]*>|%[A-Za-z_]+%|@[A-Z_]+@|__\w+__|\b(?:REPLACE|CHANGE|FIX|YOUR|MY)[-_]?ME\b|(?:^|[/:])(?:REPLACE|CHANGE|FIX)[-_]?ME\b/i;
/** `IMAGE`, `REGISTRY/app`, `app:VERSION`, `your-registry/app`. */
const CAPITALS = /^[A-Z][A-Z0-9_-]*(?:[:/@][A-Z][A-Z0-9_-]*)*$|^[A-Z][A-Z0-9_-]*\/|:(?:[A-Z]+_)*(?:TAG|VERSION)$/;
const WORDS = /(?:^|[/:-])placeholder(?:$|[/:-])|(?:^|\/)your[-_]/i;
/** The characters that a reference can consist of. */
const CHARACTERS = /^[\w[][\w.:@/[\]%-]*$/;
const PATH_OR_ADDRESS = /^(?:[/.~]|[a-z][a-z0-9+.-]*:\/\/)/i;
/** File names of pictures, disks and archives, which are also given in `image:` fields. */
const FILE_NAME =
  /\.(?:png|jpe?g|gif|svg|ico|webp|bmp|qcow2?|raw|img|iso|vmdk|vdi|vhdx?|ova|ovf|tar|tgz|gz|xz|bz2|zst|zip|ya?ml|json|txt|html?|md|sh|exe|deb|rpm|jar)$/i;

/** Cloud disk images: Amazon's by id, Google's by path. */
const CLOUD_DISK = /^ami-[0-9a-f]{8,17}$|^projects\/[\w-]+\/global\/images\//;

/** Judges a text where an image reference is expected. Quotes, white space and the transport prefix are removed. */
export function judgeImage(value: unknown): Judged {
  if (typeof value !== 'string') return NOTHING;
  const text = bare(value);
  if (text === '' || text.length > MAX_LENGTH) return NOTHING;
  if (PLACEHOLDER.test(text) || CAPITALS.test(text) || WORDS.test(text)) return { kind: 'placeholder', text };
  if (PATH_OR_ADDRESS.test(text) || !CHARACTERS.test(text)) return NOTHING;
  const reference = tryParseReference(text);
  return reference ? { kind: 'image', image: text, reference } : NOTHING;
}

/** Like judgeImage, where the text can also be a picture, a disk or a file. */
export function judgeImageWithCare(value: unknown): Judged {
  const judged = judgeImage(value);
  if (judged.kind !== 'image') return judged;
  if (CLOUD_DISK.test(judged.image)) return NOTHING;
  return FILE_NAME.test(judged.reference.path) && !judged.reference.digest ? NOTHING : judged;
}

/** A host with a dot, a path, and a tag or digest: nothing but an image reference is written like this. */
export function isUnmistakable(reference: Reference): boolean {
  return hasRealHost(reference) && (reference.tag !== undefined || reference.digest !== undefined);
}

/** Whether the host is possible for a registry: a domain name, an IP address, a host with a port, or `localhost`. */
export function hasRealHost({ host }: Reference): boolean {
  if (host === undefined || !isHost(host)) return false;
  return /^(?:[\w-]+\.)+[a-z][\w-]*(?::\d+)?$|^localhost|^\[|^\d+(?:\.\d+){3}|:\d+$/i.test(host);
}

function bare(value: string): string {
  const trimmed = value.trim();
  if (trimmed.length > MAX_LENGTH) return trimmed;
  return trimmed.replace(QUOTES, '$2').trim().replace(SCHEME, '');
}

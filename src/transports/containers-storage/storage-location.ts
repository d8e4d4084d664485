// Parses what follows `containers-storage:`: `[[driver@]root[+runroot][:options]]` and a name, an id or both (containers-transports(5)). Pure.
import { isDigest } from '../../oci/digest.ts';
import { formatReference, parseReference, type Reference } from '../../oci/reference.ts';

/** Where a store is. */
export interface StoreSpec {
  readonly driver?: string;
  /** The graph root. Unlike skopeo, it may also be a directory that holds one (`var/lib/containers/storage`), or a tar of one. */
  readonly root: string;
  readonly runRoot?: string;
  readonly options?: readonly string[];
}

/** An image of a store. `maybeId` is set if the text may also be the beginning of an id: it is used if the name is unknown. */
export type StorageImage =
  | { readonly reference: Reference; readonly id?: string; readonly maybeId?: string }
  /** An id or its beginning: hexadecimal digits. */
  | { readonly reference?: undefined; readonly id: string; readonly maybeId?: undefined };

export type StorageDetails = { readonly store?: StoreSpec } & StorageImage;

const HEX = /^[0-9a-f]{1,64}$/;
/** Shorter texts are names. */
const SHORT_ID = /^[0-9a-f]{3,64}$/;

/** `refuse` throws. Errors: those of `refuse`, REFERENCE_INVALID. */
export function parseStorageDetails(details: string, refuse: (why: string) => never): StorageDetails {
  if (!details.startsWith('[')) return parseImage(details, refuse);
  const end = details.indexOf(']');
  if (end < 0) refuse('the store has no closing bracket');
  return { store: parseStore(details.slice(1, end), refuse), ...parseImage(details.slice(end + 1), refuse) };
}

export function formatStorageDetails(details: StorageDetails): string {
  const { store, reference, id } = details;
  const image = `${reference ? formatReference(reference) : ''}${id ? `@${id}` : ''}`;
  if (!store) return image;
  const options = store.options ? `:${store.options.join(',')}` : '';
  const runRoot = store.runRoot === undefined ? '' : `+${store.runRoot}`;
  return `[${store.driver ? `${store.driver}@` : ''}${store.root}${runRoot}${options}]${image}`;
}

function parseStore(text: string, refuse: (why: string) => never): StoreSpec {
  const at = text.indexOf('@');
  const driver = at < 0 ? undefined : text.slice(0, at);
  const storage = text.slice(at + 1);
  const colon = storage.indexOf(':');
  const options = colon < 0 ? undefined : storage.slice(colon + 1).split(',');
  const roots = colon < 0 ? storage : storage.slice(0, colon);
  const plus = roots.indexOf('+');
  const root = plus < 0 ? roots : roots.slice(0, plus);
  const runRoot = plus < 0 ? undefined : roots.slice(plus + 1);
  if (driver === '') refuse('no driver before the @');
  if (root === '') refuse('the store has no path');
  return { root, ...(driver && { driver }), ...(runRoot && { runRoot }), ...(options && { options }) };
}

/** Both ids and digests follow an `@`. Only a digest names its algorithm. */
function parseImage(text: string, refuse: (why: string) => never): StorageImage {
  const at = text.lastIndexOf('@');
  const last = text.slice(at + 1);
  if (text === '') refuse('no image');
  if (at < 0 || isDigest(last)) {
    if (/^[0-9a-f]{64}$/.test(text)) return { id: text };
    const reference = parseReference(text);
    return { reference, ...(SHORT_ID.test(text) && { maybeId: text }) };
  }
  if (!HEX.test(last)) refuse(`[${last}] is neither an image id nor a digest`);
  return at === 0 ? { id: last } : { reference: parseReference(text.slice(0, at)), id: last };
}

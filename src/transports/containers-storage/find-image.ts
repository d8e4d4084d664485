// Finds an image of a store as podman and skopeo do: by full name, short name, digest, or (the beginning of) an id. Pure.
import { ImagesError } from '../../oci/errors.ts';
import { DEFAULT_TAG, formatReference, fullReference, type Reference, tryParseReference } from '../../oci/reference.ts';
import type { StorageImage } from './storage-location.ts';
import type { StoredImage } from './store-records.ts';

/** Errors: MANIFEST_UNKNOWN, REFERENCE_INVALID (ambiguous). */
export function findStoredImage(images: readonly StoredImage[], wanted: StorageImage, store: string): StoredImage {
  const { reference, id, maybeId } = wanted;
  // If an id is given with a name, the image must match both.
  const possible = id === undefined ? images : images.filter((image) => image.id.startsWith(id));
  const named = reference ? byReference(possible, reference, store) : only(possible, id ?? '', store);
  if (named) return named;
  const other = maybeId === undefined ? undefined : byId(images, maybeId, store);
  if (other) return other;
  const text = [reference && formatReference(reference), id].filter((part) => part !== undefined).join('@');
  throw new ImagesError('MANIFEST_UNKNOWN', `no such image in the store [${text}]`, {
    hint: whatIsThere(images, store),
  });
}

function byId(images: readonly StoredImage[], id: string, store: string): StoredImage | undefined {
  return only(
    images.filter((image) => image.id.startsWith(id)),
    id,
    store,
  );
}

function byReference(images: readonly StoredImage[], reference: Reference, store: string): StoredImage | undefined {
  if (reference.digest) return byDigest(images, reference);
  const { tag = DEFAULT_TAG } = reference;
  const full = formatReference(fullReference(reference));
  const exact = images.find(({ names }) => names.includes(full));
  if (exact || reference.host !== undefined) return exact;
  const suffix = `/${reference.path}:${tag}`;
  const built = images.find(({ names }) => names.includes(`localhost${suffix}`));
  if (built) return built;
  const similar = images.filter(({ names }) => names.some((name) => name.endsWith(suffix)));
  return only(similar, formatReference(reference), store);
}

/** An image has several manifests if it was pulled through an index. */
function byDigest(images: readonly StoredImage[], { tag: _, ...reference }: Reference): StoredImage | undefined {
  const { digest, ...repository } = reference;
  const having = images.filter(
    (image) =>
      image.digest === digest ||
      Object.entries(image.data).some(([name, value]) => name.startsWith('manifest') && value === digest),
  );
  const { host, path } = fullReference(repository);
  const named = having.find(({ names }) =>
    names.some((name) => {
      const parsed = tryParseReference(name);
      return parsed?.host === host && parsed.path === path;
    }),
  );
  return named ?? having[0];
}

function only(found: readonly StoredImage[], text: string, store: string): StoredImage | undefined {
  const [first, second] = found;
  if (!second) return first;
  const names = found.slice(0, 4).map((image) => image.names[0] ?? image.id.slice(0, 12));
  throw new ImagesError('REFERENCE_INVALID', `several images of the store are meant by [${text}]`, {
    hint: `Name one of them: ${names.join(', ')} [${store}].`,
  });
}

function whatIsThere(images: readonly StoredImage[], store: string): string {
  const names = images.flatMap((image) => image.names);
  if (images.length === 0) return `There is none in ${store}: another user's images are in another store.`;
  const some = names.slice(0, 5).join(', ') || `${images.length} images without a name`;
  return `${store} has ${some}${names.length > 5 ? `, and ${names.length - 5} more` : ''}.`;
}

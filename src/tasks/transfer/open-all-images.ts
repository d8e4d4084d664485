// All images of an archive or a layout, if the user names none of them.
import type { CallOptions } from '../../io/streams/bytes.ts';
import { addAll } from '../../oci/add-all.ts';
import { ImagesError } from '../../oci/errors.ts';
import { formatReference, fullReference, type Reference } from '../../oci/reference.ts';
import type { LayerSpool } from '../../transports/compressing/contract.ts';
import type { ContainedImage, ImageSource } from '../../transports/contract.ts';
import { formatLocation, type Location, locate, type OwnLocation } from '../../transports/location.ts';
import { ownName } from '../../transports/transport.ts';
import { callOptions, type Settings } from '../settings.ts';
import { boundTransport, openOptions } from './open-options.ts';
import { packed } from './open-source.ts';

export interface NamedSource {
  readonly source: ImageSource;
  readonly name: Reference;
}

/** Disposing closes the source. */
export interface AllImages extends AsyncDisposable {
  /** An image with several names is listed once for each. */
  readonly images: readonly NamedSource[];
}

/**
 * Returns `undefined` if the transport holds one image, or if one is named. Errors: USAGE (an image has no name), MANIFEST_INVALID (two images have the
 * same name), those of the transport.
 */
export async function openAllImages(
  text: string,
  settings: Settings,
  spool: LayerSpool | undefined,
): Promise<AllImages | undefined> {
  const location = locate(text, settings.transports);
  if (location.transport === 'name' || location.transport === 'id') return undefined;
  const { transport, where } = boundTransport(location);
  const all = await transport.openAll?.(where, openOptions(settings));
  if (!all) return undefined;
  try {
    const images = await withOwnNames(all.images, text, callOptions(settings));
    const nameless = images.findIndex(({ names }) => names.length === 0);
    if (nameless >= 0) throw images.length === 1 ? noName(text) : noNameOf(location, images[nameless]?.at ?? nameless);
    const sources: NamedSource[] = [];
    for (const { names, source } of images) {
      const opened = await packed(source(), all.layersAsIs ? undefined : spool);
      addAll(
        sources,
        names.map((name) => ({ name, source: opened })),
      );
    }
    return { images: sources, [Symbol.asyncDispose]: () => all[Symbol.asyncDispose]() };
  } catch (error) {
    await all[Symbol.asyncDispose]();
    throw error;
  }
}

interface NamedImage extends Omit<ContainedImage, 'names'> {
  readonly names: readonly Reference[];
}

/** Assigns each name to one image, because a tag can hold only one. Errors: MANIFEST_INVALID (two images have the same name), those of the transport. */
async function withOwnNames(
  listed: readonly ContainedImage[],
  location: string,
  call: CallOptions,
): Promise<readonly NamedImage[]> {
  const first = new Map<string, ContainedImage>();
  const images: NamedImage[] = [];
  for (const image of listed) {
    const own: Reference[] = [];
    const all = namesOf(image);
    for (const name of all) {
      const full = formatReference(fullReference(name));
      const other = first.get(full);
      if (!other) own.push(name);
      else if (!(await isSame(other, image, call))) throw twoOfOneName(name, location);
      first.set(full, other ?? image);
    }
    // An image whose names all went to its duplicate is dropped: it must not count as an image without a name.
    if (own.length > 0 || all.length === 0) images.push({ ...image, names: own });
  }
  return images;
}

async function isSame(one: ContainedImage, other: ContainedImage, call: CallOptions): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map((image) => image.source().root(call)));
  return a?.digest === b?.digest;
}

function twoOfOneName(name: Reference, location: string): ImagesError {
  return new ImagesError('MANIFEST_INVALID', `two images are called ${formatReference(name)} [${location}]`, {
    hint: 'A tag holds one of them: put them there one by one, with --tag=NAME:TAG and LOCATION:@0, LOCATION:@1, …',
  });
}

/** The names of an image without duplicates: `app:1` and `docker.io/library/app:1` are the same name. */
function namesOf({ names }: ContainedImage): readonly Reference[] {
  const found = new Map<string, Reference>();
  for (const text of names) {
    const name = ownName(text);
    const full = name && formatReference(fullReference(name));
    if (name && full && !found.has(full)) found.set(full, name);
  }
  return [...found.values()];
}

/** The error for an image without a name, neither its own nor one from the user. */
export function noName(text: string): ImagesError {
  return new ImagesError('USAGE', `the image needs a name [${text}]`, {
    hint: 'Name it with --tag=NAME:TAG.',
  });
}

function noNameOf(location: Location | OwnLocation, at: number): ImagesError {
  const text = formatLocation(location);
  return new ImagesError('USAGE', `image @${at} needs a name [${text}]`, {
    hint: `Put them there one by one: --tag=NAME:TAG ${text}:@${at}`,
  });
}

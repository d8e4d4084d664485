// All images of an archive or a layout, where its user names none of them.
import type { CallOptions } from '../../io/streams/bytes.ts';
import { ImagesError } from '../../oci/errors.ts';
import { formatReference, fullReference, type Reference, tryParseReference } from '../../oci/reference.ts';
import type { ImageSource } from '../../transports/contract.ts';
import type { LayerSpool } from '../../transports/layer-spool.ts';
import { layoutDirectoryFiles } from '../../transports/layout/layout-files.ts';
import { type ContainedImage, listLayoutImages } from '../../transports/layout/list-images.ts';
import { formatLocation, type Location, parseLocation } from '../../transports/location.ts';
import { ownTransport } from '../../transports/transport.ts';
import { callOptions, type Settings, transportOptions } from '../settings.ts';

export interface NamedSource {
  readonly source: ImageSource;
  readonly name: Reference;
}

/** Disposing closes the place. */
export interface AllImages extends AsyncDisposable {
  /** An image of several names stands there once for each. */
  readonly images: readonly NamedSource[];
}

/** `undefined` for what is one image by its kind, or because one is named. Errors: USAGE where one has no name, MANIFEST_INVALID where two have one, those of the place. */
export async function openAllImages(
  text: string,
  settings: Settings,
  spool: LayerSpool | undefined,
): Promise<AllImages | undefined> {
  if (ownTransport(text, settings.transports)) return undefined;
  const location = parseLocation(text);
  const place = await openPlace(location, settings);
  if (!place) return undefined;
  try {
    const images = await withOwnNames(place.images, text, callOptions(settings));
    const nameless = images.findIndex(({ names }) => names.length === 0);
    if (nameless >= 0) throw images.length === 1 ? noName(text) : noNameOf(location, images[nameless]?.at ?? nameless);
    const packed =
      spool && location.transport === 'docker-archive'
        ? await import('../../transports/compressed-source.ts')
        : undefined;
    const sources = images.flatMap(({ names, source }) => {
      const opened = packed && spool ? packed.compressedSource(source(), spool) : source();
      return names.map((name) => ({ name, source: opened }));
    });
    return { images: sources, [Symbol.asyncDispose]: place[Symbol.asyncDispose] };
  } catch (error) {
    await place[Symbol.asyncDispose]();
    throw error;
  }
}

interface NamedImage extends Omit<ContainedImage, 'names'> {
  readonly names: readonly Reference[];
}

/** Each name with one image alone: a tag holds one. Errors: MANIFEST_INVALID where two images have one name, those of the place. */
async function withOwnNames(
  listed: readonly ContainedImage[],
  place: string,
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
      else if (!(await isSame(other, image, call))) throw twoOfOneName(name, place);
      first.set(full, other ?? image);
    }
    // One whose names all stand with its double is no image without a name.
    if (own.length > 0 || all.length === 0) images.push({ ...image, names: own });
  }
  return images;
}

async function isSame(one: ContainedImage, other: ContainedImage, call: CallOptions): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map((image) => image.source().root(call)));
  return a?.digest === b?.digest;
}

function twoOfOneName(name: Reference, place: string): ImagesError {
  return new ImagesError('MANIFEST_INVALID', `two images are called ${formatReference(name)} [${place}]`, {
    hint: 'A tag holds one of them: put them there one by one, with --tag=NAME:TAG and PLACE:@0, PLACE:@1, …',
  });
}

interface OpenedLocation extends AsyncDisposable {
  readonly images: readonly ContainedImage[];
}

async function openPlace(location: Location, settings: Settings): Promise<OpenedLocation | undefined> {
  const call = transportOptions(settings);
  switch (location.transport) {
    case 'oci': {
      if (isNamed(location)) return undefined;
      const images = await listLayoutImages(layoutDirectoryFiles(location.path, `oci:${location.path}`));
      return { images, async [Symbol.asyncDispose]() {} };
    }
    case 'oci-archive': {
      if (isNamed(location)) return undefined;
      const { openArchive } = await import('../../transports/archive/archive-file.ts');
      const archive = await openArchive(location.path, { ...call, label: `oci-archive:${location.path}` });
      const images = await listLayoutImages(archive).catch(async (error: unknown) => {
        await archive[Symbol.asyncDispose]();
        throw error;
      });
      return { images, [Symbol.asyncDispose]: archive[Symbol.asyncDispose] };
    }
    case 'docker-archive': {
      if (location.reference || location.index !== undefined) return undefined;
      const { openDockerArchive } = await import('../../transports/docker-archive/docker-archive-source.ts');
      return await openDockerArchive(location.path, call);
    }
    default:
      return undefined;
  }
}

function isNamed({
  ref,
  index,
  digest,
}: {
  readonly ref?: string;
  readonly index?: number;
  readonly digest?: string;
}): boolean {
  return ref !== undefined || index !== undefined || digest !== undefined;
}

/** A bare tag, as layouts have it, names no repository. `app:1` and `docker.io/library/app:1` are one name. */
function namesOf({ names }: ContainedImage): readonly Reference[] {
  const found = new Map<string, Reference>();
  for (const text of names) {
    const name = /[:/]/.test(text) ? tryParseReference(text) : undefined;
    const full = name && formatReference(fullReference(name));
    if (name && full && !found.has(full)) found.set(full, name);
  }
  return [...found.values()];
}

/** Nobody says what an image is called. */
export function noName(text: string): ImagesError {
  return new ImagesError('USAGE', `it is not said what the image is to be called [${text}]`, {
    hint: 'Name it with --tag=NAME:TAG.',
  });
}

function noNameOf(location: Location, at: number): ImagesError {
  const place = formatLocation(location);
  return new ImagesError('USAGE', `it is not said what image @${at} is to be called [${place}]`, {
    hint: `Put them there one by one: --tag=NAME:TAG ${place}:@${at}`,
  });
}

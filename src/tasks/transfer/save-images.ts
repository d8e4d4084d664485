// `docker_save`: several images in one tar archive, each as a nested docker-archive under its full name.
import { checkArguments } from '../../oci/arguments.ts';
import { ImagesError } from '../../oci/errors.ts';
import { machinePlatform } from '../../oci/machine-platform.ts';
import type { Platform } from '../../oci/platform.ts';
import { formatReference, fullReference } from '../../oci/reference.ts';
import { plainHeader } from '../../tar/plain-header.ts';
import { endOfArchive, padding, tarHeader } from '../../tar/writer.ts';
import { type PlannedArchive, planDockerArchive } from '../../transports/docker-archive/docker-archive-stream.ts';
import { readImage } from '../../transports/readable-image.ts';
import { OPTIONS, SETTINGS, TEXTS } from '../arguments.ts';
import {
  callOptions,
  type Settings,
  type TaskCall,
  transportOptions,
  type World,
  withoutRepeats,
} from '../settings.ts';
import { type OpenedSource, openSource } from './open-source.ts';

export interface SaveOptions {
  readonly platform?: Platform;
  readonly onImage?: (name: string) => void;
}

export interface SavedImages extends AsyncDisposable {
  /** In bytes. */
  readonly size: number;
  bytes(): AsyncIterable<Uint8Array>;
}

/** All images are found before the first byte is written. Errors: REFERENCE_INVALID, MANIFEST_UNKNOWN, those of the transports; USAGE (an image without a name). */
export async function saveImages(
  images: readonly string[],
  settings: Settings,
  options: SaveOptions = {},
): Promise<SavedImages> {
  checkArguments({ images: [images, TEXTS], settings: [settings, SETTINGS], options: [options, OPTIONS] });
  const noting = withoutRepeats(settings);
  const owned: AsyncDisposable[] = [];
  const dispose = async (): Promise<void> => {
    for (const each of owned.toReversed()) await each[Symbol.asyncDispose]();
  };
  try {
    const entries: Entry[] = [];
    for (const image of images) {
      const source = await openSource(image, noting, { order: 'daemon' });
      owned.push(source);
      const entry = await planEntry(image, source, { settings, options });
      owned.push(entry.archive);
      if (!entries.some(({ name }) => name === entry.name)) entries.push(entry);
    }
    const head = entries.map(({ header, archive }) => header.length + archive.size + padding(archive.size).length);
    const size = head.reduce((sum, each) => sum + each, endOfArchive().length);
    return { size, bytes: () => stream(entries, { settings, options }), [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

interface Entry {
  readonly name: string;
  readonly header: Uint8Array;
  readonly archive: PlannedArchive;
}

interface Saving {
  readonly settings: World & TaskCall;
  readonly options: SaveOptions;
}

async function planEntry(image: string, { source, name }: OpenedSource, { settings, options }: Saving): Promise<Entry> {
  if (!name) {
    throw new ImagesError('USAGE', `the image has no name [${image}]`, {
      hint: 'Name it by its reference: entries of the archive are called so.',
    });
  }
  const { raw } = await readImage(source, {
    ...callOptions(settings),
    ...(options.platform && { platform: options.platform }),
    machine: machinePlatform(),
  });
  const full = fullReference(name);
  const archive = await planDockerArchive([{ names: [full], manifest: raw, source }], transportOptions(settings));
  const text = formatReference(full);
  const header = tarHeader(plainHeader({ name: text, type: 'file', size: archive.size, mode: 0o644 }));
  return { name: text, header, archive };
}

async function* stream(entries: readonly Entry[], { settings, options }: Saving): AsyncGenerator<Uint8Array> {
  for (const { name, header, archive } of entries) {
    options.onImage?.(name);
    yield header;
    yield* archive.bytes(callOptions(settings));
    yield padding(archive.size);
  }
  yield endOfArchive();
}

// The dependencies of a build: blob storage, the runner for RUN, the downloader. Each is loaded on first use.
import { join } from 'node:path';
import type { BlobWriter, Runner } from '../../build/contract.ts';
import { oneChunk } from '../../io/streams/one-chunk.ts';
import type { Layer } from '../../rootfs/contract.ts';
import { storedIndex } from '../../storage/builds/layer-indexes.ts';
import { looseBlobs } from '../../storage/builds/loose-blobs.ts';
import type { EmbeddedStore } from '../../storage/embedded-store.ts';
import type { TaskEvents, World } from '../settings.ts';
import type { Downloader } from './download-file.ts';

/** Writes the build's layers to the store. */
export function storeBlobWriter(store: EmbeddedStore): BlobWriter {
  const blobs = looseBlobs(store.blobs);
  return {
    start: () => blobs.start(),
    put: (descriptor, bytes) => blobs.put(descriptor, async () => oneChunk(bytes)),
    layer: async (descriptor, diffId) => {
      if (!(await blobs.has(descriptor))) return undefined;
      const open: Layer['open'] = (call) => blobs.read(descriptor, call);
      const settle: Layer['settle'] = async () => {
        for await (const _ of await blobs.read(descriptor));
      };
      return { descriptor, diffId, open, settle, index: storedIndex(store.objects, descriptor.digest) };
    },
  };
}

/** A runner that is loaded at the first RUN. */
export function lazyRunner({ directory }: EmbeddedStore, settings: World, ignoreChownErrors: boolean): Runner {
  let machine: Promise<Runner> | undefined;
  const load = (): Promise<Runner> => {
    machine ??= import('../../build/run/create-run-machine.ts').then(({ createRunMachine }) =>
      createRunMachine({
        directory: settings.cache ? join(settings.cache.directory, 'run') : join(directory, 'images/run'),
        path: settings.env.PATH ?? '',
        ignoreChownErrors,
      }),
    );
    return machine;
  };
  return {
    check: async (platform, call) => (await load()).check(platform, call),
    run: async (request, call) => (await load()).run(request, call),
  };
}

/** A downloader that is loaded at the first ADD of a URL. */
export function lazyDownloads(settings: World & TaskEvents, directory: string): Downloader {
  let downloads: Promise<Downloader> | undefined;
  return {
    download: async (url, options) => {
      downloads ??= import('./download-file.ts').then(({ createDownloader }) => createDownloader(settings, directory));
      return await (await downloads).download(url, options);
    },
    [Symbol.asyncDispose]: async () => {
      await (await downloads)?.[Symbol.asyncDispose]();
    },
  };
}

// A Registry for one endpoint, composed of the parts in this folder.
import type { CallOptions } from '../../io/streams/bytes.ts';
import type { Registry } from '../contract.ts';
import { type BlobReader, type BlobReaderSettings, blobReader } from './blobs.ts';
import type { EndpointHttp } from './endpoint-http.ts';
import { lister } from './lists.ts';
import { manifestReader } from './manifests.ts';
import { ping } from './ping.ts';
import { blobPushes, type WriterSettings } from './push-blobs.ts';
import { manifestWriter } from './push-manifests.ts';
import { uploader } from './uploads.ts';

export interface EndpointRegistry extends Registry, Pick<BlobReader, 'openBlob'> {
  /** Asks whether the registry lets this user in (distribution specification, end-1). Errors: UNAUTHORIZED, DENIED, those of every request. */
  ping(options?: CallOptions): Promise<void>;
}

export function httpRegistry(http: EndpointHttp, settings: WriterSettings & BlobReaderSettings): EndpointRegistry {
  const reader = blobReader(http, settings);
  const { asked, believed } = rememberingAbsence(reader.statBlob);
  const manifests = manifestReader(http);
  return {
    ping: (options) => ping(http, options),
    getBlob: reader.getBlob,
    openBlob: reader.openBlob,
    statBlob: asked,
    ...manifests,
    ...lister(http, manifests),
    ...blobPushes(http, { ...reader, statBelieved: believed }, settings),
    ...manifestWriter(http, manifests),
    ...uploader(http, reader, settings.commitWithin),
    partialBytes: async () => 0,
  };
}

type StatBlob = Registry['statBlob'];

/**
 * Saves a request when a blob is looked for and then pushed: `asked` remembers that a blob was absent, and `believed` relies on that once.
 * If the blob has appeared in between, it is pushed needlessly, which does no harm.
 */
function rememberingAbsence(ask: StatBlob): { readonly asked: StatBlob; readonly believed: StatBlob } {
  const absent = new Set<string>();
  return {
    async asked(repository, digest, options) {
      const found = await ask(repository, digest, options);
      if (!found) absent.add(`${repository}@${digest}`);
      return found;
    },
    async believed(repository, digest, options) {
      return absent.delete(`${repository}@${digest}`) ? undefined : ask(repository, digest, options);
    },
  };
}

// One endpoint as a Registry: the parts put together.
import type { Registry } from '../contract.ts';
import { blobReader } from './blobs.ts';
import type { EndpointHttp } from './endpoint-http.ts';
import { lister } from './lists.ts';
import { manifestReader } from './manifests.ts';
import { blobWriter, manifestWriter, type WriterSettings } from './push.ts';
import { uploader } from './uploads.ts';

export function httpRegistry(http: EndpointHttp, settings: WriterSettings): Registry {
  const blobs = blobReader(http, settings);
  const manifests = manifestReader(http);
  return {
    ...blobs,
    ...manifests,
    ...lister(http, manifests),
    ...blobWriter(http, blobs.statBlob, settings),
    ...manifestWriter(http, async () => {}),
    ...uploader(http, settings.commitWithin),
    partialBytes: async () => 0,
  };
}

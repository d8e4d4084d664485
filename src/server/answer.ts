// From a request value to a reply: the table of handlers, and the translation of their errors.
import type { Call } from './call.ts';
import { deleteBlob, deleteManifest, deleteTag } from './delete.ts';
import { listReferrers, listRepositories, listTags } from './list.ts';
import { operatorPage } from './operator-pages.ts';
import { getBlob, getManifest } from './pull.ts';
import {
  beginPush,
  cancelUpload,
  finishUpload,
  getUploadStatus,
  mountBlob,
  pushChunk,
  pushWhole,
} from './push-blob.ts';
import { putManifest } from './push-manifest.ts';
import { errorBody, jsonReply, type Reply, textReply } from './reply.ts';
import type { RegistryRequest } from './request.ts';

const ABOUT =
  'images: a container registry (OCI Distribution 1.1). Its API begins at /v2/ and its catalogue is /v2/_catalog.\n';

/** Calls the handler for this kind of request. Errors: those of the registry. */
export async function answer(request: RegistryRequest, call: Call): Promise<Reply> {
  switch (request.kind) {
    case 'ping':
      return jsonReply({});
    case 'blob-get':
      return getBlob(request, call);
    case 'manifest-get':
      return getManifest(request, call);
    case 'upload-start':
      return beginPush(request, call);
    case 'upload-whole':
      return pushWhole(request, call);
    case 'upload-chunk':
      return pushChunk(request, call);
    case 'upload-finish':
      return finishUpload(request, call);
    case 'upload-status':
      return getUploadStatus(request, call);
    case 'upload-cancel':
      return cancelUpload(request, call);
    case 'blob-mount':
      return mountBlob(request, call);
    case 'manifest-put':
      return putManifest(request, call);
    case 'tag-list':
      return listTags(request, call);
    case 'catalog':
      return listRepositories(request, call);
    case 'referrer-list':
      return listReferrers(request, call);
    case 'tag-delete':
      return deleteTag(request, call);
    case 'manifest-delete':
      return deleteManifest(request, call);
    case 'blob-delete':
      return deleteBlob(request, call);
    case 'about':
      return textReply(200, ABOUT);
    case 'health':
      return call.health.alive({ json: request.json === true || isJsonWanted(call) });
    case 'ready':
      return call.health.ready({ json: request.json === true || isJsonWanted(call) });
    case 'metrics':
    case 'events':
      return operatorPage(request, call.operators, {
        headers: call.headers,
        signal: AbortSignal.any([call.signal, call.stopping]),
      });
    case 'not-found':
      return errorBody(404, { code: 'UNSUPPORTED', message: `no such end-point [${request.path.slice(0, 300)}]` });
    case 'method-not-allowed':
      return errorBody(
        405,
        { code: 'UNSUPPORTED', message: `method is not allowed here [${request.method}]` },
        { Allow: request.allow.join(', ') },
      );
  }
}

function isJsonWanted({ headers }: Call): boolean {
  return /^application\/json\b/i.test(headers.accept ?? '');
}

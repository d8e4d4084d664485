// Uploads that clients have begun and not ended: limited in total and for each client. Those that nobody continues are discarded after some time.
import { asServer } from '../access/current-asker.ts';
import { ImagesError, isImagesError } from '../oci/errors.ts';
import type { Registry, Upload } from '../registry/contract.ts';
import { createClientCounts } from './client-counts.ts';
import type { ServerLimits } from './limits.ts';

export interface UploadName {
  readonly repository: string;
  readonly id: string;
}

export interface UnfinishedUploads {
  /** Opens a new upload of this client. Errors: TOOMANYREQUESTS, those of `open`. */
  begin(client: string, repository: string, open: () => Promise<Upload>): Promise<Upload>;
  /** Notes that a request of this client has used the upload. */
  used(client: string, name: UploadName): void;
  ended(name: UploadName): void;
  /** How many there are. */
  readonly size: number;
  /** Discards the uploads that may be discarded when space is needed. */
  makeRoom(): Promise<void>;
}

export interface UnfinishedOptions {
  readonly registry: Pick<Registry, 'openUpload'>;
  /** Whether a request is writing to the upload right now. */
  readonly isActive: (name: UploadName) => boolean;
  readonly limits: Pick<ServerLimits, 'uploads' | 'uploadsPerClient' | 'uploadAge' | 'uploadAgeInNeed'>;
}

interface Unfinished extends UploadName {
  readonly client: string;
  readonly usedAt: number;
}

/** Milliseconds. Another process may have the upload: then it is in use. */
const DISCARD_TIMEOUT = 5000;

export function createUnfinishedUploads({ registry, isActive, limits }: UnfinishedOptions): UnfinishedUploads {
  /** The one unused for longest comes first. */
  const uploads = new Map<string, Unfinished>();
  const perClient = createClientCounts();
  let beginning = 0;

  function remove(name: UploadName): void {
    const upload = uploads.get(keyOf(name));
    if (!upload) return;
    uploads.delete(keyOf(name));
    perClient.change(upload.client, -1);
  }

  function add(client: string, { repository, id }: UploadName): void {
    remove({ repository, id });
    uploads.set(keyOf({ repository, id }), { client, repository, id, usedAt: Date.now() });
    perClient.change(client, 1);
  }

  function isFull(client: string): boolean {
    return uploads.size + beginning >= limits.uploads || perClient.of(client) >= limits.uploadsPerClient;
  }

  /** Discards uploads that were unused for `age` milliseconds, until `more` returns false. */
  async function discardUnused(age: number, more: (upload: Unfinished) => boolean): Promise<void> {
    const before = Date.now() - age;
    for (const upload of uploads.values()) {
      if (upload.usedAt > before) return;
      if (isActive(upload) || !more(upload)) continue;
      remove(upload);
      await asServer(() => discard(registry, upload));
    }
  }

  return {
    begin: async (client, repository, open) => {
      await discardUnused(limits.uploadAge, () => true);
      if (isFull(client)) {
        const isClientFull = () => perClient.of(client) >= limits.uploadsPerClient;
        await discardUnused(
          limits.uploadAgeInNeed,
          (upload) => isFull(client) && (!isClientFull() || upload.client === client),
        );
      }
      if (isFull(client)) {
        throw new ImagesError('TOOMANYREQUESTS', 'too many uploads are begun and not ended: try again', {
          hint: 'End or cancel uploads: those that nobody goes on with are discarded in time.',
        });
      }
      beginning++;
      perClient.change(client, 1);
      try {
        const upload = await open();
        add(client, { repository, id: upload.id });
        return upload;
      } finally {
        beginning--;
        perClient.change(client, -1);
      }
    },
    used: add,
    ended: remove,
    get size() {
      return uploads.size + beginning;
    },
    makeRoom: () => discardUnused(limits.uploadAgeInNeed, () => true),
  };
}

async function discard(registry: Pick<Registry, 'openUpload'>, { repository, id }: UploadName): Promise<void> {
  try {
    const signal = AbortSignal.timeout(DISCARD_TIMEOUT);
    await using upload = await registry.openUpload(repository, id, { signal });
    await upload.cancel();
  } catch (error) {
    // The store sweeps it later. This must not refuse an upload of somebody else.
    if (!isImagesError(error) && !isTimeout(error)) throw error;
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'TimeoutError';
}

function keyOf({ repository, id }: UploadName): string {
  return `${repository}/${id}`;
}

// Uploads that a request of this server is writing to right now. A client whose connection broke comes back before the
// server has noticed: its new request ends the old one instead of waiting for it.
import type { Upload } from '../registry/contract.ts';

export interface UploadClaim extends Disposable {
  /** Tells which upload it is, so that its size can be asked for meanwhile. */
  opened(upload: Upload): void;
}

export interface ActiveUploads {
  /** Ends the request that holds the upload, waits until it has let go, and takes its place. `breakOff` ends this one later. */
  claim(repository: string, id: string, breakOff: () => void): Promise<UploadClaim>;
  /** Whether a request is writing to it. */
  has(repository: string, id: string): boolean;
  /** Bytes received by an upload that is being written to; `undefined` for any other. */
  size(repository: string, id: string): number | undefined;
}

interface Holder {
  readonly breakOff: () => void;
  readonly released: Promise<void>;
  upload?: Upload;
}

export function createActiveUploads(): ActiveUploads {
  const holders = new Map<string, Holder>();
  const keyOf = (repository: string, id: string) => `${repository}/${id}`;
  return {
    async claim(repository, id, breakOff) {
      const key = keyOf(repository, id);
      for (let before = holders.get(key); before; before = holders.get(key)) {
        before.breakOff();
        await before.released;
      }
      const { promise: released, resolve: release } = Promise.withResolvers<void>();
      const holder: Holder = { breakOff, released };
      holders.set(key, holder);
      return {
        opened: (upload) => {
          holder.upload = upload;
        },
        [Symbol.dispose]: () => {
          holders.delete(key);
          release();
        },
      };
    },
    has: (repository, id) => holders.has(keyOf(repository, id)),
    size: (repository, id) => holders.get(keyOf(repository, id))?.upload?.size,
  };
}

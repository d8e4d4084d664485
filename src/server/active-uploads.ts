// The uploads that requests of this server are writing to right now. A client whose connection broke may come back before the
// server has noticed: its new request then ends the old one instead of waiting for it.
import type { Upload } from '../registry/contract.ts';

export interface UploadClaim extends Disposable {
  /** Passes the opened upload on, so that its size can be read while it is being written. */
  opened(upload: Upload): void;
}

export interface ActiveUploads {
  /** Ends the request that has the upload, waits until that has released it, and takes it over. `breakOff` will end the new request. */
  claim(repository: string, id: string, breakOff: () => void): Promise<UploadClaim>;
  /** Whether a request is writing to the upload. */
  has(repository: string, id: string): boolean;
  /** Bytes received so far, if the upload is being written to; else `undefined`. */
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

// Who needs which blob. Blobs and owners are numbers, so that the memory of many blobs is small.

export interface BlobOwners {
  /** `owner` is 1 or more. */
  add(blob: number, owner: number): void;
  /** Whether this owner needs the blob, and no other. */
  isOnly(blob: number, owner: number): boolean;
  hasNone(blob: number): boolean;
}

/** Instead of the number of an owner. */
const [NONE, SEVERAL] = [0, -1];

/** For blobs with numbers below `count`. */
export function blobOwners(count: number): BlobOwners {
  const owners = new Int32Array(count);
  return {
    add: (blob, owner) => {
      owners[blob] = owners[blob] === NONE || owners[blob] === owner ? owner : SEVERAL;
    },
    isOnly: (blob, owner) => owners[blob] === owner,
    hasNone: (blob) => owners[blob] === NONE,
  };
}

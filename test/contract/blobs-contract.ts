// The contract of Blobs, for every driver: a directory, memory, and future ones.
import { describe } from 'vitest';
import { checking } from './blobs/checking.ts';
import { collecting } from './blobs/collecting.ts';
import { reading } from './blobs/reading.ts';
import { sessions } from './blobs/sessions.ts';
import type { MakeBlobs } from './blobs/suite.ts';
import { trust } from './blobs/trust.ts';
import { writing } from './blobs/writing.ts';

/** Each call of `make` returns an empty store. */
export function blobsContract(name: string, make: MakeBlobs): void {
  describe(`${name} as a store of blobs`, () => {
    reading(make);
    writing(make);
    sessions(make);
    trust(make);
    checking(make);
    collecting(make);
  });
}

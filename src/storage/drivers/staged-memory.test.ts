// The contract of a store's blobs, in memory.
import type { BlobsUnderTest } from '../../../test/contract/blobs/suite.ts';
import { blobsContract } from '../../../test/contract/blobs-contract.ts';
import { createMemoryObjectStore } from '../object-store/memory-object-store.ts';
import { flipBit } from '../testing/flip-bit.ts';
import { stagedStore } from './staged-store.ts';

blobsContract('memory', async (): Promise<BlobsUnderTest> => {
  let passed = 0;
  const clock = { now: () => new Date(Date.now() + passed) };
  const objects = createMemoryObjectStore(clock);
  const again = () => stagedStore(objects, clock);
  return {
    ...again(),
    again,
    age: async (time) => {
      passed += time;
    },
    damage: (digest) => flipBit(objects, digest),
  };
});

import { expect, it } from 'vitest';
import { imageOf } from '../../../test/contract/content.ts';
import type { PendingManifest } from './contract.ts';
import { knownManifests } from './known-manifests.ts';

it('a store that could not be read for a moment is read again', async () => {
  const pending: PendingManifest = { host: 'quay.io', path: 'org/app', manifest: imageOf('one').manifest, tags: ['1'] };
  let isBroken = true;
  const known = knownManifests({
    all: async function* () {
      if (isBroken) throw new Error('too many open files');
      yield pending;
    },
    put: async () => {},
    delete: async () => {},
  });
  await expect(known.load()).rejects.toThrow('too many open files');
  isBroken = false;
  await known.load();
  expect(known.tagged({ host: 'quay.io', path: 'org/app', tag: '1' })?.manifest).toEqual(pending.manifest);
});

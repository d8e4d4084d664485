import { beforeEach, expect, it } from 'vitest';
import { imageOf, pushImage } from '../../../test/contract/content.ts';
import { ImagesError } from '../../oci/errors.ts';
import { memoryStore } from '../../storage/drivers/staged-store.ts';
import { storedRegistry } from '../../storage/repositories/stored-registry.ts';
import type { Registry } from '../contract.ts';
import { type Miss, tellingMisses } from './telling-misses.ts';

const { digest } = imageOf('there').manifest;
let stored: Registry;
let misses: Miss[];
const ask = async (path: string, what: string, options = {}) => {
  await tellingMisses(stored, (miss) => misses.push(miss))
    .registry.getManifest(path, what, options)
    .catch(() => undefined);
};

beforeEach(async () => {
  stored = storedRegistry(memoryStore());
  misses = [];
  await pushImage(stored, 'library/alpine', imageOf('there'), ['1']);
});

it('tells the full name, whichever way the host was said, and the bare one without a host', async () => {
  await ask('alpine', '2', { host: 'docker.io' });
  await ask('quay.io/org/app', '2');
  await ask('quay.io/org/app', '2', { host: 'quay.io' });
  await ask('org/app', digest, { host: 'ghcr.io' });
  await ask('org/app', '2', { askedAs: 'gcr.io' });
  await ask('org/app', '2');
  expect(misses).toEqual([
    { reference: 'docker.io/library/alpine:2', host: 'docker.io' },
    { reference: 'quay.io/org/app:2', host: 'quay.io' },
    { reference: 'quay.io/org/app:2', host: 'quay.io' },
    { reference: `ghcr.io/org/app@${digest}`, host: 'ghcr.io' },
    { reference: 'gcr.io/org/app:2', host: 'gcr.io' },
    { reference: 'org/app:2' },
  ]);
});

it('tells nothing of what is there, nor of signatures', async () => {
  await ask('library/alpine', '1');
  await ask('library/alpine', `${digest.replace(':', '-')}.sig`);
  expect(misses).toEqual([]);
});

it('tells what could not be fetched, and no trouble of the registry itself', async () => {
  const failing = (code: 'UNREACHABLE' | 'NO_ACCESS') =>
    tellingMisses(
      stored,
      (miss) => misses.push(miss),
      async (_repository: string, _reference: string, _options: object): Promise<void> => {
        throw new ImagesError(code, 'no');
      },
    ).prepare?.('library/none', '1', { host: 'docker.io' });
  await expect(failing('UNREACHABLE')).rejects.toMatchObject({ code: 'UNREACHABLE' });
  await expect(failing('NO_ACCESS')).rejects.toMatchObject({ code: 'NO_ACCESS' });
  expect(misses).toEqual([{ reference: 'docker.io/library/none:1', host: 'docker.io' }]);
});

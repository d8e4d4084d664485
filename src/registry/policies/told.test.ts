import { expect, it } from 'vitest';
import { blobOf, bytesOf, imageOf, opener, pushImage } from '../../../test/contract/content.ts';
import { memoryStore } from '../../storage/drivers/staged-store.ts';
import { storedRegistry } from '../../storage/repositories/stored-registry.ts';
import { type RegistryCall, told } from './told.ts';

it('a registry with a listener does the same as without, and reports the outcome of each call', async () => {
  const calls: RegistryCall[] = [];
  const registry = told(storedRegistry(memoryStore()), (call) => calls.push(call));
  const { descriptor, bytes } = blobOf(bytesOf('blob', 10));
  const { digest } = descriptor;
  await registry.putBlob('team/app', descriptor, opener(bytes));
  await registry.putBlob('team/app', descriptor, opener(bytes));
  expect(await registry.statBlob('team/app', digest)).toMatchObject({ size: 10 });
  expect(await registry.statBlob('team/other', digest)).toBeUndefined();
  expect(await registry.mountBlob('team/other', digest, 'team/app')).toBe(true);
  await expect(registry.getManifest('team/app', '1')).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' });
  expect(calls.map(({ call, what, outcome }) => `${call} ${what} ${outcome}`)).toEqual([
    `putBlob ${digest} written from byte 0 of 10`,
    `putBlob ${digest} was there`,
    `statBlob ${digest} found`,
    `statBlob ${digest} absent`,
    `mountBlob ${digest} mounted from team/app`,
    'getManifest 1 failed',
  ]);
  expect(calls.at(-1)?.error).toMatchObject({ code: 'MANIFEST_UNKNOWN' });
});

it('a registry with a listener stores whole images', async () => {
  const registry = told(storedRegistry(memoryStore()), () => undefined);
  const image = imageOf('kept');
  await pushImage(registry, 'team/app', image, ['1']);
  expect((await registry.getManifest('team/app', '1')).digest).toBe(image.manifest.digest);
  expect(await Array.fromAsync(registry.tags('team/app'))).toEqual(['1']);
});

import { expect, it } from 'vitest';
import { blobOf, bytesOf, imageOf, opener, pushImage } from '../../../test/contract/content.ts';
import { memoryStore } from '../../storage/drivers/staged-store.ts';
import { storedRegistry } from '../../storage/repositories/stored-registry.ts';
import { readOnly } from './read-only.ts';

it('a registry that is read-only gives what is there, and refuses every change', async () => {
  const registry = storedRegistry(memoryStore());
  const image = imageOf('kept');
  await pushImage(registry, 'team/app', image, ['1']);
  const policy = readOnly(registry);
  const { digest } = image.manifest;
  expect((await policy.getManifest('team/app', '1')).digest).toBe(digest);
  expect(await Array.fromAsync(policy.tags('team/app'))).toEqual(['1']);
  const { descriptor, bytes } = blobOf(bytesOf('new', 10));
  const changes = [
    () => policy.putBlob('team/app', descriptor, opener(bytes)),
    () => policy.openUpload('team/app'),
    () => policy.mountBlob('team/other', descriptor.digest),
    () => policy.putManifest('team/app', image.manifest, ['2']),
    () => policy.deleteTag('team/app', '1'),
    () => policy.deleteManifest('team/app', digest),
    () => policy.deleteBlob('team/app', descriptor.digest),
  ];
  for (const change of changes) await expect(change()).rejects.toMatchObject({ code: 'READ_ONLY' });
  expect(await Array.fromAsync(registry.tags('team/app'))).toEqual(['1']);
});

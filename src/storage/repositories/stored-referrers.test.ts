// Referrers in volumes that other programs wrote or a power cut damaged: unreadable ones are left out, and all others are listed.
import { expect, it } from 'vitest';
import { imageOf, indexOf, pushImage } from '../../../test/contract/content.ts';
import { digestOf } from '../../oci/digest.ts';
import { manifestDescriptor, rawManifest } from '../../oci/manifest.ts';
import { memoryStore } from '../drivers/staged-store.ts';
import { referrerKey } from '../layout/image-keys.ts';
import { blobKey, linkBytes, revisionLinkKey, tagLinkKey } from '../layout/registry-keys.ts';
import { storedRegistry } from './stored-registry.ts';

const image = imageOf('subject');
const subject = manifestDescriptor(image.manifest);
const referrer = indexOf([], { subject });
const { digest } = image.manifest;

async function newStore() {
  const store = memoryStore();
  const { objects } = store;
  const registry = storedRegistry(store);
  await pushImage(registry, 'app', image, ['1']);
  await registry.putManifest('app', referrer, []);
  const listed = async () => (await Array.fromAsync(registry.referrers('app', digest))).map((one) => one.digest);
  return { objects, registry, listed };
}

it.each([
  ['no JSON', 'no JSON'],
  ['of a kind that is not known here', '{"schemaVersion":1,"name":"app"}'],
  ['with a bad digest', '{"schemaVersion":2,"manifests":[{"mediaType":"a/b","digest":"sha256:x","size":1}]}'],
])('a tag for referrers that leads to something %s names none', async (_, text) => {
  const { objects, listed } = await newStore();
  const raw = rawManifest(Buffer.from(text), 'a/b');
  await objects.put(blobKey(raw.digest), raw.bytes);
  await objects.put(revisionLinkKey('app', raw.digest), linkBytes(raw.digest));
  await objects.put(tagLinkKey('app', digest.replace(':', '-')), linkBytes(raw.digest));
  expect(await listed()).toEqual([referrer.digest]);
});

it('a tag for referrers that leads to an image names none', async () => {
  const { registry, listed } = await newStore();
  await pushImage(registry, 'app', image, [digest.replace(':', '-')]);
  expect(await listed()).toEqual([referrer.digest]);
});

it.each(['', 'no JSON', '{"mediaType":"a/b","digest":"x","size":1}'])('a record [%s] is none', async (text) => {
  const { objects, listed } = await newStore();
  const other = indexOf([], { subject, annotations: { an: 'other' } });
  await objects.put(referrerKey('app', digest, other.digest), Buffer.from(text));
  expect(await listed()).toEqual([referrer.digest]);
});

it.each(['no JSON', '[]'])('a link to a blob that is no manifest [%s] is none, for GET as for HEAD', async (text) => {
  const { objects, registry } = await newStore();
  const raw = { bytes: Buffer.from(text), digest: digestOf(Buffer.from(text)) };
  await objects.put(blobKey(raw.digest), raw.bytes);
  await objects.put(revisionLinkKey('app', raw.digest), linkBytes(raw.digest));
  expect(await registry.statManifest('app', raw.digest)).toBeUndefined();
  await expect(registry.getManifest('app', raw.digest)).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' });
});

it('a manifest that cannot be read any more can be deleted', async () => {
  const { objects, registry } = await newStore();
  const raw = rawManifest(Buffer.from('{"schemaVersion":1}'), 'a/b');
  await objects.put(blobKey(raw.digest), raw.bytes);
  await objects.put(revisionLinkKey('app', raw.digest), linkBytes(raw.digest));
  await registry.deleteManifest('app', raw.digest);
  expect(await registry.statManifest('app', raw.digest)).toBeUndefined();
});

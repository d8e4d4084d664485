import { expect, it } from 'vitest';
import { ImagesError } from '../oci/errors.ts';
import { machinePlatform } from '../oci/machine-platform.ts';
import { type RawManifest, rawManifest } from '../oci/manifest.ts';
import { OCI_INDEX } from '../oci/media-types.ts';
import type { ImageSource } from './contract.ts';
import { readImage } from './readable-image.ts';

/** An index of one child, which it names many times. */
function indexOf(child: Pick<RawManifest, 'mediaType' | 'digest' | 'size'>, times: number): RawManifest {
  const { mediaType, digest, size } = child;
  const manifests = Array.from({ length: times }, () => ({ mediaType, digest, size }));
  return rawManifest(Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests })));
}

it('indexes that name a child many times, many levels deep, cost one look at each', async () => {
  const absent = rawManifest(Buffer.from('{"schemaVersion":2,"manifests":[]}'), OCI_INDEX);
  const levels: RawManifest[] = [];
  for (let level = 0; level < 12; level++) levels.unshift(indexOf(levels[0] ?? absent, 20));
  const asked: string[] = [];
  const [root] = levels;
  if (!root) throw new Error('no index');
  const source = {
    label: 'a source',
    root: async () => root,
    async manifest({ digest }: { readonly digest: string }) {
      asked.push(digest);
      const found = levels.find((one) => one.digest === digest);
      if (!found) throw new ImagesError('MANIFEST_UNKNOWN', 'not there');
      return found;
    },
  } as unknown as ImageSource;
  await expect(readImage(source, { machine: machinePlatform() })).rejects.toMatchObject({ code: 'PLATFORM_UNKNOWN' });
  expect(asked).toEqual([...levels.slice(1), absent].map(({ digest }) => digest));
});

import { expect, it } from 'vitest';
import { imageOf, pushImage } from '../../../test/contract/content.ts';
import { proxied, upstreamRegistry } from './testing/proxied.ts';

const DOCKER = { host: 'docker.io' };

it('who pushes what a node is pulling is told of what is here alone; a part of it can be asked for under a bare name', async () => {
  const docker = upstreamRegistry();
  const image = imageOf('one');
  await docker.push('library/app', image, ['1']);
  const here = proxied({ hosts: { 'docker.io': docker } });
  await here.registry.getManifest('library/app', '1', DOCKER);
  const { digest, size } = (image.layers[0] ?? image.config).descriptor;
  for (const path of ['library/app', 'docker.io/library/app']) {
    expect(await here.registry.statBlob(path, digest, {})).toBeUndefined();
    expect((await here.registry.statBlob(path, digest, { pull: 'digest' }))?.size).toBe(size);
  }
  expect((await here.registry.statBlob('library/app', digest, DOCKER))?.size).toBe(size);
  await pushImage(here.registry, 'library/app', image, ['mine']);
  expect((await here.store.stripped.statManifest('library/app', 'mine'))?.digest).toBe(image.manifest.digest);
});

import { expect, it } from 'vitest';
import { imageOf } from '../../../test/contract/content.ts';
import { ImagesError } from '../../oci/errors.ts';
import { proxied, upstreamRegistry } from './testing/proxied.ts';

const DOCKER = { host: 'docker.io' };
const QUAY = { host: 'quay.io' };

it('a host that wants fewer requests gets none for ten seconds, whatever is asked for; others do', async () => {
  const docker = upstreamRegistry();
  const quay = upstreamRegistry();
  await docker.push('library/app', imageOf('one'), ['1']);
  await quay.push('org/app', imageOf('two'), ['1']);
  docker.fault = async () => {
    throw new ImagesError('TOOMANYREQUESTS', 'slow down');
  };
  const here = proxied({ hosts: { 'docker.io': docker, 'quay.io': quay } });
  for (const path of ['library/app', 'library/other', 'library/third']) {
    await expect(here.registry.getManifest(path, '1', DOCKER)).rejects.toMatchObject({
      code: 'TOOMANYREQUESTS',
      message: expect.stringContaining(path),
    });
  }
  expect(docker.asked).toHaveLength(1);
  await here.registry.getManifest('org/app', '1', QUAY);
  docker.fault = () => undefined;
  here.clock += 10_000;
  await here.registry.getManifest('library/app', '1', DOCKER);
});

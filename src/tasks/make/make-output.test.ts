import { expect, it } from 'vitest';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { MAKE_FORMATS, makeOutput } from './make-output.ts';

it('the default output of make is a file in $XCLUSTER_TMP, named by its format', async () => {
  await using world = await temporaryWorld();
  const settings = world.settings({ XCLUSTER_TMP: '/tmp/xc' });
  expect(await Promise.all(MAKE_FORMATS.map((format) => makeOutput(format, settings)))).toEqual([
    '/tmp/xc/images.tar',
    '/tmp/xc/images.squashfs',
    '/tmp/xc/images.erofs',
    '/tmp/xc/images-containerd.tar',
    '/tmp/xc/images-containerd.squashfs',
    '/tmp/xc/images-oci.tar',
    '/tmp/xc/images-docker.tar',
    '/tmp/xc/images-k3s.tar.zst',
  ]);
});

it('the default output of make is where the script $XCLUSTER says, if the environment does not', async () => {
  await using world = await temporaryWorld();
  const script = await world.script('xcluster.sh', 'echo "XCLUSTER_TMP=/from/script"');
  expect(await makeOutput('tar', world.settings({ XCLUSTER: script }))).toBe('/from/script/images.tar');
});

it('there is no default output of make if neither says where', async () => {
  await using world = await temporaryWorld();
  const silent = await world.script('xcluster.sh', 'echo "OTHER=1"');
  for (const env of [{}, { XCLUSTER_TMP: '' }, { XCLUSTER: silent }]) {
    await expect(makeOutput('tar', world.settings(env))).rejects.toMatchObject({ code: 'USAGE' });
  }
});

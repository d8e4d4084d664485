import { expect, it } from 'vitest';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { pauseImage } from './pause-image.ts';

it('the pause image is the one that is given, then $IMAGES_PAUSE', async () => {
  await using world = await temporaryWorld();
  expect(await pauseImage('a:1', world.settings({ IMAGES_PAUSE: 'b:1' }))).toBe('a:1');
  expect(await pauseImage(undefined, world.settings({ IMAGES_PAUSE: 'b:1' }))).toBe('b:1');
  expect(world.notes).toEqual([]);
});

it('the pause image is otherwise what the overlay crio prints last, without its warnings', async () => {
  await using world = await temporaryWorld();
  await world.script(
    'ovls/crio/crio.sh',
    '[ "$1" = pause_image ] || exit 1; echo other:1; echo pause:3; echo "WARNING: old"',
  );
  const env = {
    XCLUSTER: await world.script('xcluster.sh', `[ "$1 $2" = "ovld crio" ] && echo ${world.path}/ovls/crio`),
  };
  expect(await pauseImage(undefined, world.settings(env))).toBe('pause:3');
});

it('the pause image is left out with a note if nothing says which, or the overlay fails', async () => {
  await using world = await temporaryWorld();
  await world.script('ovls/crio/crio.sh', 'echo pause:3; exit 1');
  const env = {
    XCLUSTER: await world.script('xcluster.sh', `[ "$1 $2" = "ovld crio" ] && echo ${world.path}/ovls/crio`),
  };
  expect(await pauseImage(undefined, world.settings(env))).toBeUndefined();
  expect(await pauseImage(undefined, world.settings())).toBeUndefined();
  expect(world.notes).toHaveLength(2);
});

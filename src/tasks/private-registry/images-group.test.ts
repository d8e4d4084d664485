import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { closedTo, imagesGroup } from './images-group.ts';

it('the group is the one of this name, if there is one', async () => {
  await using world = await temporaryWorld();
  const group = async (text: string) => imagesGroup(await world.file('group', text));
  expect(await group('root:x:0:\nimages:x:990:anna,bob\n')).toBe(990);
  expect(await group('images:x::\n')).toBeUndefined();
  expect(await group('my-images:x:5:\nimages2:x:6:\n')).toBeUndefined();
  expect(imagesGroup(join(world.path, 'none'))).toBeUndefined();
});

it('the topmost directory that members cannot pass is found', async () => {
  await using world = await temporaryWorld();
  const file = join(world.path, 'a/b/local');
  await mkdir(join(world.path, 'a/b'), { recursive: true });
  await chmod(world.path, 0o755);
  expect(closedTo(54_321, file)).toBeUndefined();
  await chmod(join(world.path, 'a/b'), 0o700);
  expect(closedTo(54_321, file)).toBe(join(world.path, 'a/b'));
  await chmod(world.path, 0o750);
  expect(closedTo(54_321, file)).toBe(world.path);
  const own = process.getgid?.() ?? 0;
  expect(closedTo(own, file)).toBe(join(world.path, 'a/b'));
  await chmod(join(world.path, 'a/b'), 0o710);
  expect(closedTo(own, file)).toBeUndefined();
});

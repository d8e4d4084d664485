// What a boot set lacks is tested in tasks/cache.
import { expect, it } from 'vitest';
import { putImage } from '../../server/testing/content.ts';
import { testProgram } from '../testing/program.ts';

const pod = (...images: readonly string[]) =>
  `kind: Pod\nspec:\n  containers:\n${images.map((image, at) => `  - {name: c${at}, image: "${image}"}\n`).join('')}`;

async function filled() {
  const program = await testProgram();
  const store = await program.store();
  const image = await putImage(store.registry, 'team/app', '1');
  const file = await program.world.file('pod.yaml', pod('docker.io/team/app:1', 'quay.io/b/c:2'));
  return { ...program, store, image, file };
}

it('lreg_missingimages prints what is missing, with status 1', async () => {
  const { run, printed, file } = await filled();
  expect([await run('lreg_missingimages', file), printed()]).toEqual([1, 'quay.io/b/c:2\n']);
  expect(await run('lreg_missingimages', '--json', file)).toBe(1);
  expect(JSON.parse(printed())).toEqual(['quay.io/b/c:2']);
});

it('lreg_missingimages --boot-set prints the images, and says on stderr what each lacks', async () => {
  const { run, printed, noted, store, image, file } = await filled();
  const layer = image.blobs[1]?.descriptor.digest;
  if (layer) await store.registry.deleteBlob('team/app', layer);
  expect(await run('lreg_missingimages', '--boot-set=all', file)).toBe(1);
  expect(printed()).toBe('docker.io/team/app:1\nquay.io/b/c:2\n');
  const notes = noted();
  expect(notes.join('\n')).toContain(`docker.io/team/app:1: missing layer ${layer} (`);
  expect(notes).toContain('quay.io/b/c:2: not in the private registry');
});

it('lreg_missingimages --boot-set says that all is there, with status 0', async () => {
  const { run, printed, noted, world } = await filled();
  const file = await world.file('one.yaml', pod('team/app:1'));
  expect(await run('lreg_missingimages', '--boot-set', '--json', file)).toBe(0);
  expect(JSON.parse(printed())).toMatchObject({ complete: true, images: [{ lacks: [] }], manifests: 1 });
  expect([await run('lreg_missingimages', '--boot-set', file), printed()]).toEqual([0, '']);
  expect(noted().join('\n')).toContain('1 image for linux/');
});

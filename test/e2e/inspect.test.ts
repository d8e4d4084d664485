import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildImage, buildIndex, layerOf } from '../fixtures/image.ts';
import { writeLayout } from '../fixtures/layout.ts';
import { newWorld } from '../peers/program.ts';
import { BASE, LOOKED, TOP } from './testing/looked.ts';

const ARM = buildImage({ layers: [layerOf([{ name: 'arm', data: 'arm' }])], architecture: 'arm64' });
const BOTH = buildIndex([LOOKED, ARM]);

describe('images inspect', () => {
  it('shows what an image is, of an index the image for this machine or the one that is asked for', async () => {
    await using world = await newWorld();
    const image = `oci:${await writeLayout(join(world.path, 'layout'), { app: BOTH })}:app`;
    const shown = JSON.parse(await world.must(['inspect', '--json', '--platform=linux/amd64', image]));
    expect(shown).toMatchObject({
      digest: BOTH.manifest.digest,
      platforms: ['linux/amd64', 'linux/arm64'],
      manifest: { digest: LOOKED.manifest.digest },
      id: LOOKED.blobs[0]?.digest,
      layers: [
        { digest: BASE.digest, diffId: BASE.diffId, size: BASE.bytes.length, instruction: 'ADD file:0123 in /' },
        { digest: TOP.digest, diffId: TOP.diffId, size: TOP.bytes.length, instruction: 'RUN adduser x' },
      ],
      config: { architecture: 'amd64' },
    });
    expect(await world.must(['inspect', '--platform=linux/arm64', image])).toMatch(/^Size +\d+ B in 1 layer$/m);
    const none = await world.images(['inspect', '--platform=linux/s390x', image]);
    expect(none).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('Its index names linux/amd64, linux/arm64.'),
    });
  });

  it('says, as all that take --platform, that an image without an index is for another one', async () => {
    await using world = await newWorld();
    const image = `oci:${await writeLayout(join(world.path, 'layout'), { app: ARM })}:app`;
    await world.must(['lreg_upload', '--tag=app:1', image]);
    const commands = [
      ...['inspect', 'ls', 'check', 'docker_ls', 'docker_export'].map((command) => [command, image]),
      ['cat', image, 'arm'],
      ['lreg_inspect', 'app:1'],
      ['docker_save', '--output=saved.tar', 'app:1'],
      ['copy', image, 'oci:to'],
      ['lreg_upload', '--tag=app:2', image],
      ['make', '--tar=made.tar', 'app:1'],
    ] as const;
    for (const [command, ...args] of commands) {
      const { status, stderr } = await world.images([command, '--platform=linux/s390x', ...args]);
      expect(stderr, command).toContain('linux/arm64');
      // Like a build with its bases, make uses the image in spite of its platform, with a note.
      expect(status, command).toBe(command === 'make' ? 0 : 1);
      await world.must([command, '--platform=linux/arm64', ...args]);
    }
  });

  it('prints the index and the config byte for byte', async () => {
    await using world = await newWorld();
    const image = `oci:${await writeLayout(join(world.path, 'layout'), { app: BOTH })}:app`;
    expect(await world.must(['inspect', '--raw', image])).toBe(Buffer.from(BOTH.manifest.bytes).toString());
    const config = await world.must(['inspect', '--config', '--platform=linux/arm64', image]);
    expect(config).toBe(Buffer.from(ARM.blobs[0]?.bytes ?? []).toString());
  });

  it('lets nothing that an image says of itself drive the terminal', async () => {
    await using world = await newWorld();
    const image = `oci:${await writeLayout(join(world.path, 'layout'), { app: LOOKED })}:app`;
    for (const form of [[], ['--json']]) {
      const text = await world.must(['inspect', ...form, image]);
      expect(text).toContain('a.label');
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    }
  });
});

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildImage, busyboxLayer } from '../fixtures/image.ts';
import { writeLayout } from '../fixtures/layout.ts';
import { startDockerd } from '../peers/dockerd.ts';
import { needs } from '../peers/find.ts';
import { newWorld } from '../peers/program.ts';

const { missing, why } = needs('root', 'dockerd', 'docker');

describe('images docker_flush', () => {
  it('refuses without --really, and fails if no daemon runs', async () => {
    await using world = await newWorld();
    const unsure = await world.images(['docker_flush']);
    expect(unsure).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('ALL containers and images'),
    });
    const env = { DOCKER_HOST: `unix://${world.path}/none.sock` };
    expect(await world.images(['docker_flush', '--really'], { env })).toMatchObject({ status: 1 });
  });

  it.skipIf(missing)(`removes all containers, running ones too, and all images${why}`, async () => {
    await using world = await newWorld();
    await using docker = await startDockerd();
    const env = { DOCKER_HOST: docker.host };
    const layout = await writeLayout(join(world.path, 'layout'), { box: buildImage({ layers: [busyboxLayer()] }) });
    await world.must(['copy', `oci:${layout}:box`, 'docker-daemon:box:1'], { env });
    await docker.docker(['tag', 'box:1', 'again:2']);
    await docker.docker(['run', '-d', '--network=none', 'box:1', 'sleep', '1000']);
    await docker.docker(['create', 'again:2']);
    expect(await world.images(['docker_flush'], { env })).toMatchObject({ status: 2 });
    expect((await docker.docker(['ps', '-q'])).trim()).not.toBe('');
    const result = JSON.parse(await world.must(['docker_flush', '--really', '--json'], { env }));
    expect(result).toEqual({ containers: 2, images: 1, failed: [] });
    expect(await docker.docker(['ps', '-aq'])).toBe('');
    expect(await docker.docker(['images', '-aq'])).toBe('');
  });
});

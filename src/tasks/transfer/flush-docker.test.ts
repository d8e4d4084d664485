import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { FlushEvent } from '../../transports/docker-daemon/flush.ts';
import { fakeEngine } from '../../transports/docker-daemon/testing/fake-engine.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { flushDocker } from './flush-docker.ts';

const ID = `sha256:${'a'.repeat(64)}`;

it('a daemon’s containers and then its images are removed, with an event for each', async () => {
  await using world = await temporaryWorld();
  const containers = [{ Id: 'c1', Names: ['/web'], Image: 'app:1', State: 'running' }];
  const images = [{ Id: ID, RepoTags: ['app:1'], RepoDigests: [] }];
  await using engine = await fakeEngine(join(world.path, 'd.sock'), (path, { method }, response) => {
    if (method === 'DELETE') (path.startsWith('/containers') ? containers : images).splice(0);
    response.end(JSON.stringify(path.startsWith('/containers') ? containers : images));
  });
  const events: FlushEvent[] = [];
  const result = await flushDocker(world.settings({ DOCKER_HOST: engine.host }), (event) => events.push(event));
  expect(result).toEqual({ containers: 1, images: 1, failed: [] });
  expect(events).toEqual([
    { type: 'container-removed', id: 'c1', name: 'web' },
    { type: 'image-removed', id: ID, tags: ['app:1'] },
  ]);
});

it('a daemon that does not run has nothing to remove', async () => {
  await using world = await temporaryWorld();
  await expect(flushDocker(world.settings(), () => {})).rejects.toMatchObject({ code: 'NOT_RUNNING' });
});

import { describe, expect, it } from 'vitest';
import { BASE, LOOKED, TOP } from './testing/looked.ts';
import { newScene } from './testing/scene.ts';

describe('images cat', () => {
  it('prints files, through links inside the image, one after the other', async () => {
    await using scene = await newScene();
    const { world, at, upstream } = scene;
    upstream.addImage('looked:1', LOOKED);
    const image = `docker://${at('looked:1')}`;
    expect(await world.must(['cat', image, '/etc/passwd'])).toBe('changed\n');
    expect(await world.must(['cat', image, 'etc/link', '/bin/../bin/tool'])).toBe('changed\ntool');
  });

  it('fetches only the layers that decide, from the top', async () => {
    await using scene = await newScene();
    const { world, at, upstream } = scene;
    upstream.addImage('looked:1', LOOKED);
    const image = `docker://${at('looked:1')}`;
    await world.must(['cat', image, 'etc/passwd']);
    expect([upstream.fetches(TOP.digest) > 0, upstream.fetches(BASE.digest)]).toEqual([true, 0]);
    const gone = await world.images(['cat', image, 'etc/gone']);
    expect(gone).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('no such file in the image') });
    expect(upstream.fetches(BASE.digest)).toBe(0);
    expect(await world.must(['cat', image, 'bin/tool'])).toBe('tool');
    expect(upstream.fetches(BASE.digest)).toBeGreaterThan(0);
  });

  it('says that a directory is not a file', async () => {
    await using scene = await newScene();
    const { world, at } = scene;
    const { status, stderr } = await world.images(['cat', `docker://${at('team/tool:v1')}`, 'data']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^ERROR: a directory, not a file \[data\]\n`images ls IMAGE PATH` .*\n$/);
  });
});

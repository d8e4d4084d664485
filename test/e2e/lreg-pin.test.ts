import { describe, expect, it } from 'vitest';
import { newScene } from './testing/scene.ts';

describe('images lreg_pin, lreg_unpin', () => {
  it('keeps an image from being removed, in process and over HTTP, until it is unpinned or --force', async () => {
    await using scene = await newScene();
    const { world, at } = scene;
    await world.must(['lreg_cache', at('library/alpine:1'), at('team/tool:v1')]);
    await world.must(['lreg_pin', 'alpine:1', at('team/tool:v1')]);
    expect(await world.must(['lreg_pin'])).toBe('library/alpine:1\nteam/tool:v1\n');
    expect(JSON.parse(await world.must(['lreg_pin', '--json']))).toMatchObject([
      { repository: 'library/alpine', reference: '1' },
      { repository: 'team/tool', reference: 'v1' },
    ]);
    for (const name of ['alpine:1', at('library/alpine:1')]) {
      expect(await world.images(['lreg_rm', name])).toMatchObject({
        status: 1,
        stderr:
          'ERROR: it is pinned [library/alpine:1]\n`images lreg_unpin library/alpine:1` lets it go, or `images lreg_rm --force` removes it all the same.\n',
      });
    }
    const { host, base } = await world.startRegistry();
    const { status, text } = await deleted(`${base}/v2/library/alpine/manifests/1`);
    expect([status, text]).toEqual([403, expect.stringContaining('it is pinned [library/alpine:1]')]);
    const elsewhere = { env: { LOCAL_REGISTRY: host, XDG_DATA_HOME: `${world.path}/other` } };
    const refused = await world.images(['lreg_rm', 'alpine:1'], elsewhere);
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining('it is pinned')]);
    expect((await world.images(['lreg_pin', 'alpine:1'], elsewhere)).stderr).toContain('pins are kept in the store');

    await world.must(['lreg_unpin', 'alpine:1']);
    await world.must(['lreg_rm', 'alpine:1']);
    await world.must(['lreg_rm', '--force', 'team/tool:v1']);
    expect(await world.must(['lreg_ls'])).toBe('');
    expect(await world.must(['lreg_pin'])).toBe('');
  });

  it('pins only what is there, and reports what is not', async () => {
    await using scene = await newScene();
    const { world, at } = scene;
    await world.must(['lreg_cache', at('library/alpine:1')]);
    expect((await world.images(['lreg_pin', 'alpine:2'])).stderr).toContain('not in the private registry');
    expect((await world.images(['lreg_unpin', 'alpine:1'])).stderr).toBe(
      'ERROR: it is not pinned [alpine:1]\n`images lreg_pin` lists what is.\n',
    );
    expect(await world.must(['lreg_pin', '--json', 'alpine:1'])).toContain('library/alpine:1');
  });
});

async function deleted(url: string): Promise<{ status: number; text: string }> {
  const answer = await fetch(url, { method: 'DELETE' });
  return { status: answer.status, text: await answer.text() };
}

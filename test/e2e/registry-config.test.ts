// registry.toml with the real program: retention, quota, immutable tags.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildImage, pushImage, randomLayer } from '../fixtures/image.ts';
import { eventually } from '../testing/eventually.ts';
import { NEWER, newScene } from './testing/scene.ts';

async function rules(data: string, text: string): Promise<void> {
  await mkdir(data, { recursive: true });
  await writeFile(join(data, 'registry.toml'), text);
}

describe('registry.toml', () => {
  it('keeps the newest tags: lreg_gc shows with --dry-run what goes, then removes it', async () => {
    await using scene = await newScene();
    const { world } = scene;
    const { base } = await world.startRegistry();
    for (const tag of ['pr-1', 'pr-2', 'pr-3', 'main']) await pushImage(base, `ci/app:${tag}`, NEWER);
    await rules(world.data, '[[keep]]\nimages = "ci/**:pr-*"\nnewest = 1\n');
    await world.must(['lreg_pin', 'ci/app:pr-1']);
    const shown = await world.must(['lreg_gc', '--dry-run']);
    expect(shown).toContain('Would remove ci/app:pr-2');
    expect(await world.must(['lreg_gc', '--no-retention'])).not.toContain('ci/app');
    expect(JSON.parse(await world.must(['lreg_gc', '--json']))).toMatchObject({
      tags: [{ repository: 'ci/app', tag: 'pr-2' }],
      retentionWaits: false,
    });
    expect(JSON.parse(await world.must(['lreg_ls', '--json']))).toMatchObject([{ name: 'ci/app' }]);
    expect(await world.must(['lreg_ls'])).toBe('ci/app:\n  ["main","pr-1","pr-3"]\n');
  });

  it('limits the space, for clients and commands, and is read again when it changes', async () => {
    await using scene = await newScene();
    const { world, at } = scene;
    await rules(world.data, 'quota = "90 kB"\n');
    const { base } = await world.startRegistry();
    const large = randomLayer('large', 150_000);
    const begun = await fetch(`${base}/v2/x/blobs/uploads/`, { method: 'POST' });
    const to = new URL(begun.headers.get('location') ?? '', base);
    const refused = await fetch(to, { method: 'PATCH', body: Buffer.from(large.bytes) });
    expect([refused.status, await refused.text()]).toEqual([507, expect.stringContaining('the quota of the registry')]);
    expect(refused.statusText).toContain('the quota of the registry is reached');
    const cached = await world.images(['lreg_cache', at('library/alpine:1')]);
    expect([cached.status, cached.stderr]).toEqual([
      1,
      expect.stringContaining('the quota of the registry is reached'),
    ]);
    await rules(world.data, 'quota = "20 MB"\n');
    await eventually(async () => {
      const again = await fetch(`${base}/v2/x/blobs/uploads/`, { method: 'POST' });
      const put = await fetch(new URL(again.headers.get('location') ?? '', base), {
        method: 'PATCH',
        body: Buffer.from(large.bytes),
      });
      return put.status === 202;
    });
    expect(await world.must(['lreg_status'])).toMatch(/^quota +\d % of/m);
  });

  it('keeps tags from moving, and says what is wrong in it', async () => {
    await using scene = await newScene();
    const { world } = scene;
    await rules(world.data, 'immutable = ["rel/*:v*"]\n');
    const { base } = await world.startRegistry();
    await pushImage(base, 'rel/app:v1', NEWER);
    await pushImage(base, 'rel/app:v1', NEWER);
    const other = buildImage({ layers: [randomLayer('other', 1000)] });
    await expect(pushImage(base, 'rel/app:v1', other)).rejects.toThrow();
    await pushImage(base, 'rel/app:latest', NEWER);
    await pushImage(base, 'rel/app:latest', other);
    await rules(world.data, '\nqouta = 1\n');
    const { status, stderr } = await world.images(['lreg_gc', '--dry-run']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('registry.toml:2: unknown key [qouta]')]);
  });
});

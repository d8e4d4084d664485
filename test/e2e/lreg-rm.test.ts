// What `lreg_rm` chooses, shows and asks. How it removes is in lreg-ls.test.ts.
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tagLinkKey } from '../../src/storage/layout/registry-keys.ts';
import { buildImage, pushImage, randomLayer } from '../fixtures/image.ts';
import { needs } from '../peers/find.ts';
import { run } from '../peers/process.ts';
import { newWorld, ROOT, type World } from '../peers/program.ts';

const IMAGE = buildImage({ layers: [randomLayer('rm', 1000)] });
const OTHER = buildImage({ layers: [randomLayer('rm other', 1000)] });

async function filled(names: readonly string[]): Promise<World> {
  const world = await newWorld();
  const { base } = await world.startRegistry();
  for (const [at, name] of names.entries()) await pushImage(base, name, at % 2 === 0 ? IMAGE : OTHER);
  return world;
}

const NAMES = ['team/app:pr-1', 'team/app:pr-2', 'team/app:v1', 'team/web/ui:pr-1'];
const left = async (world: World): Promise<readonly string[]> =>
  JSON.parse(await world.must(['lreg_ls', '--json'])).flatMap(({ name, tags }: { name: string; tags: string[] }) =>
    tags.map((tag) => `${name}:${tag}`),
  );

describe('images lreg_rm with a pattern', () => {
  it('removes what matches, with --yes; --dry-run only says it', async () => {
    await using world = await filled(NAMES);
    const said = 'Would remove team/app:pr-1\nWould remove team/app:pr-2\n';
    expect(await world.must(['lreg_rm', 'team/app:pr-*', '--dry-run'])).toBe(said);
    expect(await left(world)).toEqual(NAMES);
    expect(await world.must(['lreg_rm', 'team/app:pr-*', '--yes'])).toBe(said.replaceAll('Would remove', 'Removed'));
    expect(await left(world)).toEqual(['team/app:v1', 'team/web/ui:pr-1']);
    expect(JSON.parse(await world.must(['lreg_rm', '**:pr-?', '--yes', '--json']))).toEqual({
      removed: ['team/web/ui:pr-1'],
    });
    expect(await world.images(['lreg_rm', '**:pr-*', '--yes'])).toEqual({
      status: 0,
      stdout: '',
      stderr: 'Nothing matches.\n',
    });
  });

  it('refuses without --yes if nobody can be asked, and without a tag', async () => {
    await using world = await filled(NAMES);
    expect(await world.images(['lreg_rm', 'team/app:pr-*', 'team/app:v1'])).toEqual({
      status: 2,
      stdout: '',
      stderr: 'ERROR: 3 images would go, and nobody can be asked\n--yes removes them; --dry-run shows them.\n',
    });
    expect((await world.images(['lreg_rm', 'team/*', '--yes'])).stderr).toBe(
      "ERROR: no tag is named [team/*]\nFor all of them: 'team/*:*'.\n",
    );
    expect(await left(world)).toEqual(NAMES);
  });

  const script = needs('script');
  it.skipIf(script.missing)(`asks on a terminal${script.why}`, async () => {
    await using world = await filled(NAMES);
    const onTerminal = (answer: string) =>
      run('script', ['-qec', `${ROOT}/bin/images lreg_rm 'team/app:pr-*'`, '/dev/null'], {
        cwd: world.path,
        env: { ...world.env, TERM: 'xterm', CI: '' },
        input: `${answer}\n`,
      });
    const refused = await onTerminal('n');
    expect(refused.stdout).toContain('team/app:pr-2');
    expect(refused.stdout).toContain('Remove these 2 images? [y/N]');
    expect(refused.status).toBe(1);
    expect(await left(world)).toEqual(NAMES);
    expect((await onTerminal('y')).status).toBe(0);
    expect(await left(world)).toEqual(['team/app:v1', 'team/web/ui:pr-1']);
  });
});

describe('images lreg_rm --older-than', () => {
  it('keeps what was pushed or pulled since; a name without pattern needs no --yes', async () => {
    await using world = await filled(NAMES);
    const old = new Date(Date.now() - 40 * 24 * 3600 * 1000);
    for (const [repository, tag] of [
      ['team/app', 'pr-1'],
      ['team/app', 'v1'],
    ] as const)
      await utimes(join(world.data, tagLinkKey(repository, tag)), old, old);
    const day = old.toISOString().slice(0, 10);
    expect(await world.must(['lreg_rm', '**:*', '--older-than=30d', '--dry-run'])).toBe(
      `Would remove team/app:pr-1 (last pushed or pulled ${day})\nWould remove team/app:v1 (last pushed or pulled ${day})\n`,
    );
    expect(await world.must(['lreg_rm', 'team/app:v1', 'team/app:pr-2', '--older-than=30d'])).toContain(
      'Removed team/app:v1',
    );
    expect(await left(world)).toEqual(['team/app:pr-1', 'team/app:pr-2', 'team/web/ui:pr-1']);
    expect((await world.images(['lreg_rm', 'team/app:pr-1', '--older-than=soon'])).stderr).toContain(
      'not an age [--older-than=soon]',
    );
  });

  it('counts a pull as a use', async () => {
    await using world = await filled(['team/app:1']);
    const old = new Date(Date.now() - 40 * 24 * 3600 * 1000);
    await utimes(join(world.data, tagLinkKey('team/app', '1')), old, old);
    const { addresses } = JSON.parse(await world.must(['lreg_status', '--json']));
    await (await fetch(`http://${addresses[0].host}:${addresses[0].port}/v2/team/app/manifests/1`)).arrayBuffer();
    await world.must(['lreg_stop']);
    expect(await world.must(['lreg_rm', 'team/app:*', '--older-than=30d', '--yes'])).toBe('');
    expect(await left(world)).toEqual(['team/app:1']);
  });
});

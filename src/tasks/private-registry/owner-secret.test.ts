import { chmod, chown, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type TemporaryWorld, temporaryWorld } from '../testing/temporary-world.ts';
import { keptOwnerSecret, readOwnerSecret } from './owner-secret.ts';

const OWN = process.getuid?.() ?? 0;
const GROUP = process.getgid?.() ?? 0;

function keep(world: TemporaryWorld, more: { readonly group?: number; readonly isReadOnly?: boolean } = {}) {
  const notices: string[] = [];
  const onNotice = (text: string) => void notices.push(text);
  const kept = keptOwnerSecret({ data: join(world.path, 'data'), uid: OWN, group: undefined, onNotice, ...more });
  return kept.then((owner) => ({ owner, notices, secret: owner?.secret }));
}

const fileOf = (world: TemporaryWorld) => join(world.path, 'data/images/access/local');
const modeOf = async (world: TemporaryWorld) => (await stat(fileOf(world))).mode & 0o777;

describe('the secret of the owner', () => {
  it('is made for the owner alone to read, and is the same at the next start', async () => {
    await using world = await temporaryWorld();
    const { owner, notices } = await keep(world);
    expect(owner).toEqual({ file: fileOf(world), secret: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/) });
    expect(await modeOf(world)).toBe(0o600);
    expect(await readdir(join(fileOf(world), '..'))).toEqual(['local']);
    expect((await keep(world)).owner).toEqual(owner);
    expect(readOwnerSecret(fileOf(world), OWN)).toBe(owner?.secret);
    expect(readOwnerSecret(fileOf(world), OWN + 1)).toBeUndefined();
    expect(notices).toEqual([]);
  });

  it('is made anew if the file is empty, half or longer, or has been open to others', async () => {
    await using world = await temporaryWorld();
    let { secret } = await keep(world);
    const spoilt = [
      () => writeFile(fileOf(world), ''),
      () => writeFile(fileOf(world), secret?.slice(20) ?? ''),
      () => writeFile(fileOf(world), `${secret}\n\n`),
      () => chmod(fileOf(world), 0o644),
      () => chmod(fileOf(world), 0o640),
    ];
    for (const spoil of spoilt) {
      await spoil();
      const { secret: next } = await keep(world);
      expect(next).not.toBe(secret);
      expect(await readFile(fileOf(world), 'utf8')).toBe(`${next}\n`);
      expect(await modeOf(world)).toBe(0o600);
      secret = next;
    }
    await chmod(fileOf(world), 0o400);
    expect((await keep(world)).secret).toBe(secret);
  });

  it('can be read by the group, which gets the one of before, and loses it when it is no longer meant', async () => {
    await using world = await temporaryWorld();
    await chmod(world.path, 0o755);
    const { secret } = await keep(world);
    const shared = await keep(world, { group: GROUP });
    expect([shared.secret, await modeOf(world), shared.notices]).toEqual([secret, 0o640, []]);
    expect((await stat(fileOf(world))).gid).toBe(GROUP);
    expect((await keep(world, { group: GROUP })).secret).toBe(secret);
    expect((await keep(world)).secret).not.toBe(secret);
  });

  it('is told to be of no use to a group that cannot reach it', async () => {
    await using world = await temporaryWorld();
    await chmod(world.path, 0o600 | 0o100);
    const { notices, owner } = await keep(world, { group: GROUP });
    expect(notices).toEqual([
      `members of the group \`images\` have to log in: they cannot pass ${world.path} to ${owner?.file}`,
    ]);
  });

  it('is only used, not made, on a store that cannot be written to', async () => {
    await using world = await temporaryWorld();
    expect(await keep(world, { isReadOnly: true })).toMatchObject({ owner: undefined, notices: [] });
    const { owner } = await keep(world);
    expect((await keep(world, { isReadOnly: true })).owner).toEqual(owner);
  });

  it('is not used on a store that cannot be written to if others can read it there', async () => {
    await using world = await temporaryWorld();
    const { secret } = await keep(world);
    for (const mode of [0o644, 0o444, 0o640]) {
      await chmod(fileOf(world), mode);
      const { owner, notices } = await keep(world, { isReadOnly: true });
      expect(owner, mode.toString(8)).toBeUndefined();
      expect(notices).toEqual([expect.stringContaining(`others can read ${fileOf(world)}`)]);
    }
    expect((await keep(world, { isReadOnly: true, group: GROUP })).secret).toBe(secret);
    expect((await keep(world, { isReadOnly: true, group: GROUP + 1 })).owner).toBeUndefined();
  });

  it('is done without, with a notice, where it cannot be written', async () => {
    await using world = await temporaryWorld();
    await world.file('data/images/access', 'a file');
    const { owner, notices } = await keep(world);
    expect(owner).toBeUndefined();
    expect(notices).toEqual([expect.stringMatching(/^commands on this machine have to log in: /)]);
  });

  it.skipIf(OWN === 0)('stays the owner’s alone where the group is not one of theirs', async () => {
    await using world = await temporaryWorld();
    const { owner, notices } = await keep(world, { group: 54_321 });
    expect([owner?.file, await modeOf(world)]).toEqual([fileOf(world), 0o600]);
    expect(notices[0]).toContain('the group `images` cannot be given');
  });

  it.skipIf(OWN !== 0)('is not taken from another user', async () => {
    await using world = await temporaryWorld();
    const { secret } = await keep(world);
    await chown(fileOf(world), 54_321, -1);
    expect((await keep(world)).secret).not.toBe(secret);
    expect((await stat(fileOf(world))).uid).toBe(0);
    await rm(fileOf(world));
    await mkdir(fileOf(world));
    expect((await keep(world)).owner).toBeUndefined();
  });
});

import { spawn } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { needs } from '../../../test/peers/find.ts';
import { identityOf } from '../../io/concurrency/process-identity.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { announcedRegistries, believedRegistries, isSystemService, systemRegistries } from './registry-adverts.ts';
import { announceRegistry } from './registry-state.ts';

const SERVED = { addresses: [{ host: '127.0.0.1', port: 5000 }], version: '1' };
const OWN = process.getuid?.() ?? 0;

describe('announced registries', () => {
  /** Settings of another user, who looks for this user's registry. */
  const asOther = { uid: OWN + 1 };

  it('are believed if their user owns the file and runs the process', async () => {
    await using world = await temporaryWorld();
    const { state } = announceRegistry({ ...SERVED, data: join(world.path, 'data') }, world.settings());
    expect(announcedRegistries(world.settings({}, asOther))).toEqual([state]);
  });

  it('are all found, even after another one of the same user has stopped', async () => {
    await using world = await temporaryWorld();
    const { identity } = announceRegistry({ ...SERVED, data: join(world.path, 'one') }, world.settings()).state;
    // Announces a registry in another process of this user, and one that was killed.
    const child = spawn('sleep', ['30']);
    const own = `images-registry-${OWN}`;
    const text = await readFile(join(world.path, `${own}-${process.pid}.json`), 'utf8');
    const other = identityOf(child.pid ?? 0) ?? '';
    const copyFor = (pid: number, whose: string) =>
      text.replaceAll(identity, whose).replace(`"pid":${process.pid}`, `"pid":${pid}`);
    await writeFile(join(world.path, `${own}-${child.pid}.json`), copyFor(child.pid ?? 0, other));
    await writeFile(join(world.path, `${own}-1.json`), copyFor(1, identity.replace(/^\d+/, '1')));
    try {
      const { withdraw } = announceRegistry({ ...SERVED, data: join(world.path, 'two') }, world.settings());
      expect((await readdir(world.path)).filter((name) => name.startsWith(own))).toHaveLength(2);
      withdraw();
      expect(announcedRegistries(world.settings({}, asOther)).map(({ pid }) => pid)).toEqual([child.pid]);
      expect(announcedRegistries(world.settings()).map(({ pid }) => pid)).toEqual([child.pid]);
    } finally {
      child.kill();
    }
  });

  it('are not believed if others than their owner can write them, under whatever name', async () => {
    await using world = await temporaryWorld();
    const { state } = announceRegistry({ ...SERVED, data: join(world.path, 'data') }, world.settings());
    const path = join(world.path, `images-registry-${OWN}-${process.pid}.json`);
    const found = () => [announcedRegistries, believedRegistries].map((of) => of(world.settings()));
    for (const mode of [0o666, 0o646, 0o664]) {
      await chmod(path, mode);
      expect(found(), mode.toString(8)).toEqual([[], []]);
    }
    await chmod(path, 0o644);
    expect(found()).toEqual([[state], [state]]);
  });

  it('are not believed under a name that their owner does not have', async () => {
    await using world = await temporaryWorld();
    announceRegistry({ ...SERVED, data: join(world.path, 'data') }, world.settings());
    const text = await readFile(join(world.path, `images-registry-${OWN}-${process.pid}.json`), 'utf8');
    await writeFile(
      join(world.path, `images-registry-77-${process.pid}.json`),
      text.replace(`"uid":${OWN}`, '"uid":77'),
    );
    expect(announcedRegistries(world.settings({}, asOther)).map((state) => state.uid)).toEqual([OWN]);
  });

  it('are not read through links', async () => {
    await using world = await temporaryWorld();
    const { withdraw } = announceRegistry({ ...SERVED, data: join(world.path, 'data') }, world.settings());
    const advert = join(world.path, `images-registry-${OWN}-${process.pid}.json`);
    const elsewhere = await world.file('elsewhere.json', await readFile(advert, 'utf8'));
    withdraw();
    await symlink(elsewhere, advert);
    expect(announcedRegistries(world.settings({}, asOther))).toEqual([]);
  });
});

describe('registries that are used without being named', () => {
  const { missing, why } = needs('root');

  /** Starts a process of another user, and announces it in a directory. */
  async function announcedBy(uid: number, directory: string): Promise<AsyncDisposable> {
    const child = spawn('sleep', ['60'], { uid, gid: uid, cwd: '/' });
    const pid = child.pid ?? 0;
    const state = { identity: identityOf(pid), pid, uid, data: '/x', ...SERVED, since: '2026-01-01T00:00:00Z' };
    const path = join(directory, `images-registry-${uid}-${pid}.json`);
    await writeFile(path, JSON.stringify(state));
    await chown(path, uid, uid);
    return {
      [Symbol.asyncDispose]: async () => {
        child.kill();
      },
    };
  }

  it.skipIf(missing)(`are root's, wherever they are announced${why}`, async () => {
    await using world = await temporaryWorld();
    await chmod(world.path, 0o1777);
    await using _root = await announcedBy(0, world.path);
    await using _other = await announcedBy(61_001, world.path);
    const seen = world.settings({}, { uid: 61_002 });
    expect(announcedRegistries(seen).map(({ uid }) => uid)).toEqual([0, 61_001]);
    expect(systemRegistries(seen).map(({ uid }) => uid)).toEqual([0]);
    expect(believedRegistries(seen).map(({ uid }) => uid)).toEqual([0]);
    const byOther = believedRegistries(world.settings({}, { uid: 61_001 }));
    expect(byOther.map(({ uid }) => uid).sort()).toEqual([0, 61_001]);
    const isService = (uid: number) => isSystemService(world.settings({}, { uid }));
    expect([0, 61_001, 61_002].map(isService)).toEqual([true, false, false]);
  });

  it.skipIf(missing)(`are those of a service whose directory root has given to it alone${why}`, async () => {
    const top = await mkdtemp('/run/images-test-');
    try {
      await using world = await temporaryWorld();
      await chmod(top, 0o755);
      const directory = join(top, 'images');
      await mkdir(directory);
      await chown(directory, 61_001, 61_001);
      await using _service = await announcedBy(61_001, directory);
      const seen = world.settings({ IMAGES_RUNTIME: directory }, { uid: 61_002 });
      const used = () => systemRegistries(seen).map(({ uid }) => uid);
      expect(used()).toEqual([61_001]);
      expect(believedRegistries(seen)).toHaveLength(1);
      expect(isSystemService({ ...seen, uid: 61_001 })).toBe(true);
      // Root's own directory makes nobody else a service.
      await chown(directory, 0, 0);
      expect(isSystemService({ ...seen, uid: 61_001 })).toBe(false);
      for (const [mode, owner] of [
        [0o775, 61_001],
        [0o1777, 0],
        [0o755, 61_003],
      ] as const) {
        await chmod(directory, mode);
        await chown(directory, owner, owner);
        expect(used(), `${mode.toString(8)} ${owner}`).toEqual([]);
      }
      await chmod(directory, 0o755);
      await chown(directory, 61_001, 61_001);
      await chmod(top, 0o1777);
      expect(used()).toEqual([]);
    } finally {
      await rm(top, { recursive: true, force: true });
    }
  });
});

import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildImage, randomLayer } from '../fixtures/image.ts';
import { writeLayout } from '../fixtures/layout.ts';
import { needs } from '../peers/find.ts';
import { must, run } from '../peers/process.ts';
import { newWorld, ROOT, type World } from '../peers/program.ts';
import { freePort } from '../peers/temporary.ts';

const peers = needs('root', 'setpriv', 'unshare');
const NOBODY = 65_534;
const IMAGES_GROUP = 61_007;
const LISTED = 'team/app:\n  ["1"]\n';
const RULES = '[[rule]]\nusers = ["*"]\nallow = ["pull", "push", "delete"]\n';

/** The program as a user who owns nothing of the world; with the group `images`, or without. */
async function asOther(world: World) {
  const home = join(world.path, 'other');
  await mkdir(home, { recursive: true });
  await chown(home, NOBODY, NOBODY);
  for (const folder of ['', 'run', 'share', 'config', 'config/containers'])
    await chmod(join(world.path, folder), 0o755);
  const own = Object.fromEntries(
    ['DATA', 'STATE', 'CACHE', 'CONFIG'].map((name) => [`XDG_${name}_HOME`, join(home, name.toLowerCase())]),
  );
  const env = { ...process.env, ...world.env, ...own, HOME: home, XDG_RUNTIME_DIR: home };
  return (args: readonly string[], groups: string) =>
    run('setpriv', [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, groups, join(ROOT, 'bin/images'), ...args], {
      env,
      cwd: home,
    });
}

describe('commands on the machine of a registry with --auth and --tls=auto', () => {
  it.skipIf(peers.missing)(
    `need no login for its owner and the group images, over verified HTTPS; others are told to log in${peers.why}`,
    async () => {
      await using world = await newWorld();
      const host = `127.0.0.1:${await freePort()}`;
      const layout = join(world.path, 'layout');
      await writeLayout(layout, { 1: buildImage({ layers: [randomLayer('one', 1000)] }) });
      await world.must(['lreg_passwd', '--file=users', '--password-stdin', 'anna'], { input: 'one' });
      await mkdir(world.data, { recursive: true });
      await writeFile(join(world.data, 'registry.toml'), `auth = "htpasswd:../../users"\n${RULES}`);
      const group = join(world.path, 'group');
      await writeFile(group, `root:x:0:\nimages:x:${IMAGES_GROUP}:\n`);
      const images = await asOther(world);
      // Only this registry sees a group of this name.
      const start = `mount --bind ${group} /etc/group && exec ${join(ROOT, 'bin/images')} lreg_start --tls=auto --listen=${host}`;
      await must('unshare', ['--mount', 'sh', '-c', start], { env: { ...process.env, ...world.env }, cwd: world.path });
      try {
        const at = `docker://${host}/team/app:1`;
        const { stderr } = await world.images(['copy', '--debug=hosts', `oci:${layout}:1`, at]);
        expect(stderr).toContain(`a token from ${join(world.data, 'images/access/local')}`);

        const member = `--groups=${IMAGES_GROUP}`;
        expect(await images(['lreg_ls'], member)).toMatchObject({ status: 0, stdout: LISTED });
        expect(await images(['copy', at, `docker://${host}/team/app:2`], member)).toMatchObject({ status: 0 });
        expect(await images(['lreg_rm', 'team/app:2'], member)).toMatchObject({ status: 0 });

        const stranger = '--clear-groups';
        const tried = [['lreg_ls'], ['lreg_rm', 'team/app:1'], ['copy', at, `docker://${host}/team/app:3`]];
        for (const refused of await Promise.all(tried.map((args) => images(args, stranger)))) {
          expect(refused.status).toBe(1);
          expect(refused.stderr).toContain('credentials are needed for');
          expect(refused.stderr).toContain(`Run \`images login ${host}\``);
          expect(refused.stderr).toContain('images/access/local (this user cannot read it)');
        }
        expect(await world.must(['lreg_ls'])).toBe(LISTED);
      } finally {
        await world.must(['lreg_stop']);
      }
    },
  );
});

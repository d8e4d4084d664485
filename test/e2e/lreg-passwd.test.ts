import { describe, expect, it } from 'vitest';
import { needs } from '../peers/find.ts';
import { run } from '../peers/process.ts';
import { newWorld, type World } from '../peers/program.ts';
import { freePort } from '../peers/temporary.ts';

const skopeo = needs('skopeo');

/** A registry where one logs in, ended with the world's process group. */
async function serve(world: World): Promise<{ readonly host: string; stop(): Promise<void> }> {
  const host = `127.0.0.1:${await freePort()}`;
  await world.must(['lreg_start', '--auth=htpasswd:users', `--listen=${host}`]);
  return { host, stop: async () => void (await world.must(['lreg_stop'])) };
}

describe('images lreg_passwd, and a registry with --auth', () => {
  it.skipIf(skopeo.missing)(
    `lets everybody pull, and push who has logged in; a changed password is obeyed at once${skopeo.why}`,
    async () => {
      await using world = await newWorld();
      const password = (text: string) =>
        world.must(['lreg_passwd', '--file=users', '--password-stdin', 'anna'], { input: `${text}\n` });
      await password('one');
      const { host, stop } = await serve(world);
      const env = { REGISTRY_AUTH_FILE: `${world.path}/auth.json` };
      const login = (text: string) =>
        run('skopeo', ['login', '--tls-verify=false', '-u', 'anna', '--password-stdin', host], {
          env: { ...process.env, ...env },
          input: text,
        });
      const begin = (headers: Record<string, string> = {}) =>
        fetch(`http://${host}/v2/team/app/blobs/uploads/`, { method: 'POST', headers }).then(({ status }) => status);
      const basic = (text: string) => ({ Authorization: `Basic ${Buffer.from(`anna:${text}`).toString('base64')}` });
      expect(await begin()).toBe(401);
      expect((await fetch(`http://${host}/v2/_catalog`)).status).toBe(200);
      expect((await login('two')).status).not.toBe(0);
      expect((await login('one')).status).toBe(0);
      expect(
        (await world.images(['login', '--username=anna', '--password-stdin', host], { env, input: 'one' })).stderr,
      ).toContain('Logged in');
      expect(await begin(basic('one'))).toBe(202);
      await password('two');
      await expect.poll(() => begin(basic('one')), { timeout: 60_000 }).toBe(401);
      expect(await begin(basic('two'))).toBe(202);
      await stop();
    },
  );

  it('writes for its owner to read, keeps other users, and removes one', async () => {
    await using world = await newWorld();
    const passwd = (args: readonly string[], input?: string) =>
      world.images(['lreg_passwd', '--file=users', ...args], input === undefined ? {} : { input });
    expect((await passwd(['--password-stdin', 'anna'], 'one')).status).toBe(0);
    expect((await passwd(['--password-stdin', 'bob'], 'two')).status).toBe(0);
    expect((await passwd(['--delete', 'anna'])).stderr).toContain('Removed anna in');
    expect((await passwd(['--delete', 'anna'])).stderr).toContain('no such user in');
    expect((await run('cut', ['-d:', '-f1', `${world.path}/users`])).stdout).toBe('bob\n');
    expect((await run('stat', ['-c', '%a', `${world.path}/users`])).stdout).toBe('600\n');
    expect((await passwd(['--password-stdin', 'a:b'], 'x')).status).toBe(2);
    expect((await world.images(['lreg_passwd', '--password-stdin', 'anna'], { input: 'x' })).stderr).toContain(
      'no file of users is named',
    );
  });
});

import { hashSync } from 'bcryptjs';
import { describe, expect, it } from 'vitest';
import { startDockerRegistry } from '../peers/docker-registry.ts';
import { needs } from '../peers/find.ts';
import { must } from '../peers/process.ts';
import { newWorld } from '../peers/program.ts';

const registry = needs('docker-registry', 'skopeo');

describe('images login, logout', () => {
  it.skipIf(registry.missing)(
    `are understood by skopeo and docker-registry, and no wrong password is kept${registry.why}`,
    async () => {
      await using world = await newWorld();
      await using peer = await startDockerRegistry({ htpasswd: `me:${hashSync('p: ss', 4)}\n` });
      const { host } = peer;
      const authfile = `${world.path}/auth.json`;
      const env = { REGISTRY_AUTH_FILE: authfile };
      const login = (password: string) =>
        world.images(['login', '--username=me', '--password-stdin', host], { env, input: `${password}\n` });
      expect(await login('wrong')).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/^ERROR: 127\.0\.0\.1:\d+ does not accept this user name and password\n/),
      });
      const listTags = () => must('skopeo', ['list-tags', '--tls-verify=false', `docker://${host}/a`], { env });
      await expect(listTags()).rejects.toThrow(/unauthorized|authentication/i);
      expect(await login('p: ss')).toMatchObject({
        status: 0,
        stderr: `Logged in to ${host}; the credentials are in ${authfile}.\n`,
      });
      await expect(listTags()).rejects.toThrow(/404/);
      expect((await world.images(['logout', host], { env })).stderr).toBe(`Logged out of ${host}.\n`);
      await expect(listTags()).rejects.toThrow(/unauthorized|authentication/i);
    },
  );

  it('need a password on standard input where nobody can type', async () => {
    await using world = await newWorld();
    expect((await world.images(['login', '--username=me', 'quay.io'])).stderr).toContain('--password-stdin');
    expect(
      (await world.images(['login', '--username=me', '--password-stdin', 'quay.io'], { input: '' })).stderr,
    ).toContain('there is no password on standard input');
  });
});

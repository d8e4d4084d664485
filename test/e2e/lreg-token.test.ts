import { describe, expect, it } from 'vitest';
import { newWorld } from '../peers/program.ts';
import { freePort } from '../peers/temporary.ts';
import { eventually } from '../testing/eventually.ts';

describe('images lreg_token', () => {
  it('gives what may push to some repositories of a registry that runs, until it is revoked', async () => {
    await using world = await newWorld();
    const host = `127.0.0.1:${await freePort()}`;
    await world.must(['lreg_start', '--write-from=10.99.0.0/16', `--listen=${host}`]);
    try {
      const begin = async (repository: string, headers = {}) =>
        (await fetch(`http://${host}/v2/${repository}/blobs/uploads/`, { method: 'POST', headers })).status;
      expect(await begin('ci/app')).toBe(403);
      const token = (await world.must(['lreg_token', '--name=ci', '--push=ci/**'])).trim();
      const basic = { Authorization: `Basic ${Buffer.from(`token:${token}`).toString('base64')}` };
      await eventually(async () => (await begin('ci/app', basic)) === 202);
      expect(await begin('ci/app', { Authorization: `Bearer ${token}` })).toBe(202);
      expect(await begin('other/app', basic)).toBe(403);
      expect(await begin('ci/app')).toBe(401);
      expect(await world.must(['lreg_token', '--list'])).toMatch(
        /^[0-9a-f-]{36} {2}until \d{4}-\d\d-\d\d {2}ci: pull\+push ci\/\*\*\n$/,
      );
      expect((await world.images(['lreg_token', '--revoke=ci'])).stderr).toContain('Revoked ci');
      await eventually(async () => (await begin('ci/app', basic)) !== 202);
      expect((await world.images(['lreg_token', '--revoke=ci'])).stderr).toContain('no such token [ci]');
    } finally {
      await world.must(['lreg_stop']);
    }
  });
});

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildImage, randomLayer } from '../fixtures/image.ts';
import { writeLayout } from '../fixtures/layout.ts';
import { needs } from '../peers/find.ts';
import { must, run } from '../peers/process.ts';
import { newWorld } from '../peers/program.ts';
import { freePort } from '../peers/temporary.ts';

const skopeo = needs('skopeo', 'curl');

describe('images lreg_ca, and a registry with --tls=auto', () => {
  it.skipIf(skopeo.missing)(
    `serve HTTPS beside HTTP to clients that trust the CA, and to no others${skopeo.why}`,
    async () => {
      await using world = await newWorld();
      const [http, https] = [await freePort(), await freePort()];
      const host = `127.0.0.1:${https}`;
      await world.must(['lreg_start', '--tls=auto', `--listen=127.0.0.1:${http}`, `--listen=https://${host}`]);
      try {
        const root = join(world.path, 'root');
        await mkdir(join(root, 'etc/containers'), { recursive: true });
        expect((await world.images(['lreg_ca', '--install', `--root=${root}`])).stderr).toContain('Written: ');
        const trusted = join(root, 'etc/containers/certs.d', host);
        const layout = join(world.path, 'layout');
        await writeLayout(layout, { 1: buildImage({ layers: [randomLayer('one', 100_000)] }) });
        await must('skopeo', [
          'copy',
          '-q',
          `--dest-cert-dir=${trusted}`,
          `oci:${layout}:1`,
          `docker://${host}/team/app:1`,
        ]);
        expect((await run('skopeo', ['list-tags', `docker://${host}/team/app`])).stderr).toMatch(/x509|certificate/);
        const ca = join(trusted, 'ca.crt');
        const curl = (...args: string[]) =>
          must('curl', ['-s', '-o', '/dev/null', '-w', '%{http_code} %{http_version}', '--cacert', ca, ...args]);
        expect(await curl(`https://${host}/v2/`)).toBe('200 2');
        expect(await curl('--http1.1', `https://${host}/v2/`)).toBe('200 1.1');
        expect(await curl(`http://127.0.0.1:${http}/v2/team/app/tags/list`)).toBe('200 1.1');
        // Nodes that take this registry for another ask under its name.
        expect(await curl('--resolve', `quay.io:${https}:127.0.0.1`, `https://quay.io:${https}/v2/`)).toBe('200 2');
        expect(await world.must(['lreg_ca'])).toMatch(/^-----BEGIN CERTIFICATE-----\n/);
        expect((await world.images(['lreg_ca', '--remove', `--root=${root}`])).stderr).toContain('Removed: ');
        expect(await world.must(['lreg_ls'])).toContain('team/app');
      } finally {
        await world.must(['lreg_stop']);
      }
    },
  );

  it('says how the CA is made where there is none', async () => {
    await using world = await newWorld();
    const { status, stderr } = await world.images(['lreg_ca']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('images lreg_start --tls=auto')]);
  });
});

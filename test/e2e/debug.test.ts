import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newScene } from './testing/scene.ts';

describe('--debug', () => {
  it('prints requests and decisions on stderr, of the topics that are named, and nothing without it', async () => {
    await using scene = await newScene();
    const { world, at } = scene;
    const copy = ['copy', `docker://${at('library/alpine:1')}`, `oci:${join(world.path, 'layout')}:a`];
    const first = await world.images(['--debug=http,copy', ...copy]);
    expect(first.status).toBe(0);
    expect(first.stderr).toMatch(/^\[\d+\.\d{3} http\] GET http:\/\/\S+\/v2\/library\/alpine\/manifests\/1 200 /m);
    expect(first.stderr).toMatch(/^\[\S+ copy\] blob sha256:\S+ is fetched from byte 0 of \d+$/m);
    const again = await world.images([...copy], { env: { IMAGES_DEBUG: 'copy' } });
    expect(again.stderr).toMatch(/^\[\S+ copy\] \S+ blob sha256:\S+ \(\d+ bytes\) is there already$/m);
    expect(again.stderr).not.toMatch(/^\[\S+ http\]/m);
    expect((await world.images(copy)).stderr).not.toMatch(/^\[/m);
  });

  it('names the user whose credentials are sent, and not the secret', async () => {
    await using scene = await newScene();
    const { world, upstream, at } = scene;
    const file = join(world.path, 'auth.json');
    const auth = Buffer.from('me:a secret word').toString('base64');
    await writeFile(file, JSON.stringify({ auths: { [upstream.host]: { auth } } }));
    const { stderr } = await world.images(['ls', '--debug', `docker://${at('library/alpine:1')}`], {
      env: { REGISTRY_AUTH_FILE: file },
    });
    expect(stderr).not.toContain('secret word');
    expect(stderr).not.toContain(auth);
  });

  it('lists the topics if one is unknown', async () => {
    await using scene = await newScene();
    const { status, stderr } = await scene.world.images(['lreg_ls', '--debug=htp']);
    expect(status).toBe(2);
    expect(stderr).toBe(
      'ERROR: unknown topic of --debug [htp]\nDid you mean http? There are http, hosts, copy, build, scan, store, serve; --debug alone takes all.\n',
    );
  });
});

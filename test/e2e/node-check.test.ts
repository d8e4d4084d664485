// `images node_check` on a machine whose /etc is a test's, and through a command, as by ssh.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { needs } from '../peers/find.ts';
import { inOwnEtc } from '../peers/own-etc.ts';
import { newWorld, ROOT } from '../peers/program.ts';

const namespaces = needs('root', 'unshare', 'podman', 'containerd');
const IMAGES = join(ROOT, 'bin/images');

describe('images node_check', () => {
  it.skipIf(namespaces.missing)(
    `is content with what node_config writes, and with nothing else${namespaces.why}`,
    async () => {
      await using world = await newWorld();
      const node = join(world.path, 'node');
      await world.must(['node_config', '--registry=10.0.0.1', '--runtime=crio,containerd', `--output=${node}`]);
      await writeFile(join(node, 'etc/containers/policy.json'), '{}');
      const check = (paths: readonly string[]) =>
        inOwnEtc(node, paths, [IMAGES, 'node_check', '--registry=10.0.0.1', '--json'], world);
      const { stdout } = await check(['etc/containers', 'etc/containerd']);
      const { runtimes } = JSON.parse(stdout);
      for (const name of ['podman', 'containerd']) {
        const runtime = runtimes.find((one: { readonly runtime: string }) => one.runtime === name);
        // Other tests on this machine may run a containerd with a configuration of its own.
        const own = runtime.findings.filter(({ what }: { readonly what: string }) => !/^it reads another/.test(what));
        expect(own, name).toEqual([]);
        expect(runtime.asks['quay.io'][0]).toMatch(/^http:\/\/10\.0\.0\.1:80/);
      }
      const without = await check(['etc/containers']);
      expect(without.status).toBe(1);
      expect(without.stdout).toContain('so certs.d is not read');
    },
  );

  it('asks a node through a command, and prints whom each runtime asks', async () => {
    await using world = await newWorld();
    const exec = join(world.path, 'to-node');
    await mkdir(world.path, { recursive: true });
    const answer =
      '@ program dockerd Docker 27\\n@ file /etc/docker/daemon.json\\n|{"registry-mirrors": ["http://10.0.0.1:80"]}\\n@ end\\n';
    await writeFile(exec, `#!/bin/sh\n[ "$*" = "vm1 sh -s" ] && cat >/dev/null && printf '${answer}'\n`, {
      mode: 0o755,
    });
    const result = await world.images(['node_check', `--exec=${exec} vm1`, '--registry=10.0.0.1']);
    expect(result.status).toBe(1);
    expect(result.stdout).toContain(
      'docker: Docker 27\n  reads /etc/docker/daemon.json\n  docker.io → http://10.0.0.1:80, https://registry-1.docker.io\n',
    );
    expect(result.stdout).toContain('! it does not ask the private registry first for quay.io, registry.k8s.io\n');
    expect(result.stderr).toBe('1 problem.\n');
    expect((await world.images(['node_check', '--exec=false', '--registry=10.0.0.1'])).stderr).toContain(
      'the node cannot be asked [false]',
    );
  });
});

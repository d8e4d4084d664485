// The overlay private-reg: what `tar` writes, and what its boot script does in a root file system of busybox, with a network of its own.
// With a real VM: vm.test.ts.
import { copyFile, mkdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { WELL_KNOWN_HOSTS } from '../../src/nodes/well-known-hosts.ts';
import { needs } from '../peers/find.ts';
import { must, run } from '../peers/process.ts';
import { newWorld, ROOT } from '../peers/program.ts';

const TAR = join(ROOT, 'ovl/private-reg/tar');
const busybox = needs('root', 'unshare', 'chroot', 'ip', 'busybox');

/** A network as VMs of xcluster have it. */
const IN_NAMESPACE = `set -e
ip link set lo up
ip link add eth0 type veth peer name other
ip link set eth0 up
ip link set other up
ip addr add 192.168.0.1/24 dev eth0
ip -6 addr add fd00::192.168.0.1/120 dev eth0 nodad
PATH=/bin exec "$(command -v chroot)" "$1" /bin/busybox sh -c "$2"`;
/** Runs the script twice, and shows what there is. */
const IN_ROOT = `set -e
/bin/busybox --install -s /bin
sh /etc/init.d/28private-reg.rc
sh /etc/init.d/28private-reg.rc
cat /etc/hosts
ip route
ip -6 route`;

describe('the overlay private-reg', () => {
  it('writes what a VM needs as a tar, the same each time, and nothing else to stdout', async () => {
    await using world = await newWorld();
    const env = { ...world.env, LOCAL_REGISTRY: '172.17.0.2:80' };
    const file = join(world.path, 'private-reg.tar');
    await must(TAR, [file], { env });
    const piped = await must('sh', ['-c', `"${TAR}" - | cmp - "${file}" && tar -tf "${file}"`], { env });
    const names = piped.split('\n').filter((name) => name !== '');
    expect(names).toContain('etc/spoofed-hosts');
    expect(names).toContain('etc/init.d/28private-reg.rc');
    // Directories of the VM keep their modes.
    expect(names.filter((name) => name.endsWith('/'))).toEqual([]);
    const spoofed = (await must('tar', ['-xOf', file, 'etc/spoofed-hosts'])).split('\n');
    expect(spoofed[0]).toBe('172.17.0.2 example.com');
    for (const host of WELL_KNOWN_HOSTS) expect(spoofed).toContain(`172.17.0.2 ${host}`);
  });

  it('takes the hosts from the file that $__dns_spoof names', async () => {
    await using world = await newWorld();
    const list = join(world.path, 'hosts');
    await writeFile(list, 'registry.nordix.org\nquay.io\n');
    const env = { ...world.env, LOCAL_REGISTRY: '[fd00::5]:80', __dns_spoof: list };
    const text = await must('sh', ['-c', `"${TAR}" - | tar -xO etc/spoofed-hosts`], { env });
    expect(text).toBe('fd00::5 example.com\nfd00::5 registry.nordix.org\nfd00::5 quay.io\n');
  });

  it('fails with one line and a next step if the address of the registry is not known', async () => {
    await using world = await newWorld();
    const file = join(world.path, 'x.tar');
    const { status, stdout, stderr } = await run(TAR, [file], { env: world.env });
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^ERROR: no private registry\n[^\n]*lreg_start[^\n]*\n$/);
    await expect(readFile(file)).rejects.toThrow('ENOENT');
  });

  it.skipIf(busybox.missing)(`finds the registry by routes and names at boot, in busybox${busybox.why}`, async () => {
    await using world = await newWorld();
    const root = join(world.path, 'root');
    for (const name of ['bin', 'etc', 'tmp', 'dev']) await mkdir(join(root, name), { recursive: true });
    await copyFile('/bin/busybox', join(root, 'bin/busybox'));
    await writeFile(join(root, 'dev/null'), '');
    await writeFile(join(root, 'etc/hosts'), '127.0.0.1 localhost\n10.9.9.9 quay.io\n');
    const registries = '--registry=172.17.0.2 --registry=fd99::2';
    const env = { ...world.env, IMAGES_NODE_CONFIG: registries };
    await must('sh', ['-c', `"${TAR}" - | tar -C "${root}" -xf -`], { env });
    const result = await run('unshare', ['-n', 'sh', '-c', IN_NAMESPACE, 'sh', root, IN_ROOT]);
    expect([result.status, result.stderr]).toEqual([0, '']);
    const warning = 'private-reg: WARNING: an earlier line of /etc/hosts has another address for quay.io\n';
    expect(
      result.stdout.startsWith(`${warning}${warning}127.0.0.1 localhost\n10.9.9.9 quay.io\n# private-reg: begin\n`),
    ).toBe(true);
    const lines = result.stdout.split('\n').map((line) => line.trim());
    for (const line of ['172.17.0.2 docker.io', 'fd99::2 registry.k8s.io', 'fd99::2 private-reg'])
      expect(
        lines.filter((each) => each === line),
        line,
      ).toEqual([line]);
    expect(result.stdout).toContain('172.17.0.2 via 192.168.0.250 dev eth0');
    expect(result.stdout).toContain('fd99::2 via fd00::c0a8:fa dev eth0');
    expect(await readFile(join(root, 'etc/containers/policy.json'), 'utf8')).toContain('insecureAcceptAnything');
  });

  const PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
  const BUNDLE = 'etc/ssl/certs/ca-certificates.crt';
  it.skipIf(busybox.missing).each([
    ['Debian or Alpine', 'update-ca-certificates', {}, 'usr/local/share/ca-certificates/private-reg.crt'],
    ['Fedora', 'update-ca-trust', {}, 'etc/pki/ca-trust/source/anchors/private-reg.crt'],
    ['SUSE', 'update-ca-certificates', { 'etc/pki/trust/anchors/x': '' }, 'etc/pki/trust/anchors/private-reg.crt'],
    // With a file in its place, as root cannot be refused otherwise.
    ['Flatcar, whose /usr cannot be written', 'update-ca-certificates', { usr: '' }, 'etc/ssl/certs/private-reg.pem'],
    ['no program for CAs', 'other', { [BUNDLE]: 'THEIRS\n' }, BUNDLE],
  ])(`lets the system trust the CA, on %s${busybox.why}`, async (_, program, files, place) => {
    await using world = await newWorld();
    const root = join(world.path, 'root');
    const put = async (path: string, text: string, mode = 0o644) => {
      await mkdir(join(root, path, '..'), { recursive: true });
      await writeFile(join(root, path), text, { mode });
    };
    for (const [path, text] of Object.entries(files)) await put(path, text);
    await put('dev/null', '');
    await put(`bin/${program}`, `#!/bin/sh\necho "${program} $*" >>/log\n`, 0o755);
    await copyFile('/bin/busybox', join(root, 'bin/busybox'));
    await writeFile(join(world.path, 'ca.crt'), PEM);
    const config = ['node_config', '--registry=https://10.0.0.1', `--ca=${world.path}/ca.crt`, '--format=boot'];
    await world.must([...config, `--output=${root}`]);
    const script = 'sh /etc/init.d/28private-reg.rc';
    const boot = ['/bin/busybox', 'sh', '-ec', `/bin/busybox --install -s /bin; ${script}; ${script}`];
    const result = await run('chroot', [root, ...boot], { env: { PATH: `/bin:${process.env.PATH}` } });
    expect([result.status, result.stdout, result.stderr]).toEqual([0, '', '']);
    const theirs = place === BUNDLE ? 'THEIRS\n' : '';
    expect(await readFile(join(root, place), 'utf8')).toBe(theirs + PEM);
    if (program === 'other') return;
    const called = `${program} ${program === 'update-ca-trust' ? 'extract' : ''}\n`;
    expect(await readFile(join(root, 'log'), 'utf8')).toBe(called + called);
  });

  it.skipIf(busybox.missing)(
    `adds the CA to those of the system without going through all of them, unless there is more to it${busybox.why}`,
    async () => {
      await using world = await newWorld();
      const root = join(world.path, 'root');
      const at = (name: string) => join(root, name);
      for (const name of ['bin', 'etc/ssl/certs', 'tmp', 'dev']) await mkdir(at(name), { recursive: true });
      await copyFile('/bin/busybox', at('bin/busybox'));
      for (const [name, text] of Object.entries({
        openssl: 'echo abcd1234',
        'update-ca-certificates': 'echo >>/all',
      })) {
        await writeFile(at(`bin/${name}`), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
      }
      await writeFile(at('dev/null'), '');
      await writeFile(at('etc/ssl/certs/abcd1234.0'), 'of another');
      const bundle = at('etc/ssl/certs/ca-certificates.crt');
      const boot = async (ca: string): Promise<string> => {
        await writeFile(join(world.path, 'ca.crt'), ca);
        const env = { ...world.env, IMAGES_NODE_CONFIG: `--registry=https://172.17.0.2 --ca=${world.path}/ca.crt` };
        await must('sh', ['-c', `"${TAR}" - | tar -C "${root}" -xf -`], { env });
        const script = '/bin/busybox --install -s /bin; sh /etc/init.d/28private-reg.rc';
        const result = await run('unshare', ['-n', 'sh', '-c', IN_NAMESPACE, 'sh', root, script]);
        expect([result.status, result.stderr]).toEqual([0, '']);
        return await readFile(bundle, 'utf8');
      };
      const allAgain = () => readFile(at('all'), 'utf8').catch(() => '');

      await writeFile(bundle, certificate('other'));
      // Twice: it is not there twice.
      for (const _ of [1, 2]) expect(await boot(certificate('ours'))).toBe(certificate('ours') + certificate('other'));
      expect(await readFile(at('etc/ssl/certs/abcd1234.0'), 'utf8')).toBe('of another');
      expect(await readlink(at('etc/ssl/certs/abcd1234.1'))).toBe('private-reg.pem');
      expect(await readlink(at('etc/ssl/certs/private-reg.pem'))).toBe(
        '/usr/local/share/ca-certificates/private-reg.crt',
      );
      expect(await allAgain()).toBe('');
      // The CA before it has to go, which only going through all of them does.
      await boot(certificate('newer'));
      expect(await allAgain()).toBe('\n');
    },
  );
});

/** Only its signature says which it is. */
function certificate(name: string): string {
  const lines = ['MIIB', name.padEnd(8, 'A'), 'AA=='];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

import { load } from 'js-yaml';
import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import type { NodeRequest } from './node-file.ts';
import { bootFiles, newNodeFiles, nodeFiles } from './node-files.ts';
import { butane, cloudInit } from './user-data.ts';

const CA = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
const PLAIN: NodeRequest = {
  registry: { addresses: ['192.168.0.250', 'fd00::250'], port: 80, scheme: 'http', names: 'with-host' },
  hosts: ['docker.io', 'quay.io'],
  runtimes: ['crio', 'containerd', 'docker', 'k3s', 'rke2', 'kind'],
};
const V4: NodeRequest = { ...PLAIN, registry: { ...PLAIN.registry, addresses: ['192.168.0.250'] } };
const SECURE: NodeRequest = {
  ...PLAIN,
  registry: { addresses: ['10.0.0.5'], port: 443, scheme: 'https', ca: CA, names: 'either' },
};

function texts(request: NodeRequest): Readonly<Record<string, string>> {
  return Object.fromEntries(nodeFiles(request).map(({ path, content }) => [path, content]));
}

describe('the files of a node', () => {
  it('of podman and CRI-O: each host first at the registry, with its own path, then at the host itself', () => {
    const file = 'etc/containers/registries.conf.d/50-private-reg.conf';
    const tables = (request: NodeRequest) => parse(texts(request)[file] ?? '').registry;
    const mirror = (location: string) => ({ location, insecure: true });
    expect(tables(V4)).toEqual(
      ['docker.io', 'quay.io'].map((host) => ({
        prefix: host,
        location: host,
        mirror: [mirror(`192.168.0.250:80/${host}`)],
      })),
    );
    // podman takes an IPv6 address for an invalid reference.
    expect(tables(PLAIN)).toContainEqual(expect.objectContaining({ mirror: [mirror('private-reg:80/quay.io')] }));
    expect(tables({ ...V4, only: true })).toContainEqual({ prefix: 'quay.io', ...mirror('192.168.0.250:80/quay.io') });
    const two = { ...V4, only: true, registry: { ...V4.registry, addresses: ['10.0.0.1', '10.0.0.2'] } };
    expect(tables(two)).toContainEqual({
      prefix: 'quay.io',
      ...mirror('10.0.0.1:80/quay.io'),
      mirror: [mirror('10.0.0.2:80/quay.io')],
    });
    // Without TLS the host itself is this registry, too.
    expect(tables({ ...PLAIN, spoof: true })).toContainEqual(
      expect.objectContaining({ prefix: 'quay.io', location: 'quay.io', insecure: true }),
    );
    expect(tables(SECURE)).toContainEqual({
      prefix: 'quay.io',
      location: 'quay.io',
      mirror: [{ location: '10.0.0.5:443/quay.io' }, { location: '10.0.0.5:443' }],
    });
  });

  it('of containerd: certs.d for each host and all others, and one directory in config.toml', () => {
    const hosts = (request: NodeRequest, name: string) =>
      parse(texts(request)[`etc/containerd/certs.d/${name}/hosts.toml`] ?? '');
    const capabilities = { capabilities: ['pull', 'resolve'], dial_timeout: '2s' };
    for (const name of ['docker.io', 'quay.io', '_default'])
      expect(hosts(V4, name)).toEqual({ host: { 'http://192.168.0.250:80': capabilities } });
    // 1.x ignores a file with an IPv6 address in it.
    const named = { 'http://private-reg:80': capabilities };
    expect(hosts(PLAIN, 'quay.io')).toEqual({ host: named });
    expect(hosts(PLAIN, 'private-reg:80')).toEqual({ server: 'http://private-reg:80', host: named });
    expect(texts(PLAIN)['etc/hosts']).toBe('192.168.0.250 private-reg\nfd00::250 private-reg\n');
    expect(texts(V4)['etc/hosts']).toBeUndefined();
    expect(hosts({ ...PLAIN, only: true }, '_default').server).toBe('http://private-reg:80');
    expect(hosts(SECURE, 'quay.io')).toEqual({
      host: { 'https://10.0.0.5:443': { ...capabilities, ca: '/etc/containerd/certs.d/private-reg.crt' } },
    });
    expect(parse(texts(PLAIN)['etc/containerd/config.toml'] ?? '')).toMatchObject({
      version: 2,
      plugins: { 'io.containerd.grpc.v1.cri': { registry: { config_path: '/etc/containerd/certs.d' } } },
    });
  });

  it('of docker: mirrors of docker.io, and with --spoof the hosts that it may ask without TLS', () => {
    const config = (request: NodeRequest) => JSON.parse(texts(request)['etc/docker/daemon.json'] ?? '');
    const own = ['192.168.0.250:80', '[fd00::250]:80'];
    expect(config(PLAIN)).toEqual({
      'registry-mirrors': own.map((at) => `http://${at}`),
      'insecure-registries': own,
    });
    // Under its name it is known which host is meant.
    expect(config({ ...PLAIN, spoof: true })).toEqual({
      'registry-mirrors': ['http://docker.io'],
      'insecure-registries': [...own, 'docker.io', 'quay.io'],
    });
    const elsewhere = { ...V4, spoof: true, registry: { ...V4.registry, port: 5000 } };
    expect(config(elsewhere)['registry-mirrors']).toEqual(['http://192.168.0.250:5000']);
    expect(Object.keys(texts({ ...SECURE, spoof: true }))).toContain('etc/docker/certs.d/quay.io/ca.crt');
    expect(config(SECURE)).toEqual({ 'registry-mirrors': ['https://10.0.0.5:443'] });
    expect(config({ ...SECURE, hosts: ['quay.io'] })['registry-mirrors']).toEqual([]);
  });

  it('of k3s and rke2: each host and all others', () => {
    const endpoint = ['http://private-reg:80'];
    const mirrors = Object.fromEntries(['docker.io', 'quay.io', '*'].map((host) => [host, { endpoint }]));
    for (const name of ['k3s', 'rke2'])
      expect(load(texts(PLAIN)[`etc/rancher/${name}/registries.yaml`] ?? '')).toEqual({ mirrors });
    expect(load(texts(SECURE)['etc/rancher/k3s/registries.yaml'] ?? '')).toMatchObject({
      configs: { '10.0.0.5:443': { tls: { ca_file: '/etc/rancher/k3s/private-reg.crt' } } },
    });
  });

  it('of kind: a cluster whose nodes have certs.d, and the ConfigMap for tools', () => {
    const files = texts(PLAIN);
    // As kind reads it: from where it is run.
    expect(load(files['kind/cluster.yaml'] ?? '')).toMatchObject({
      kind: 'Cluster',
      nodes: [{ extraMounts: [{ hostPath: 'kind/certs.d', containerPath: '/etc/containerd/certs.d' }] }],
    });
    expect(load(files['kind/local-registry-hosting.yaml'] ?? '')).toMatchObject({
      metadata: { namespace: 'kube-public' },
      data: { 'localRegistryHosting.v1': expect.stringContaining('host: "192.168.0.250:80"') },
    });
    // The node's /etc/hosts is not ours.
    const hosts = parse(files['kind/certs.d/quay.io/hosts.toml'] ?? '').host;
    expect(Object.keys(hosts as object)).toEqual(['http://192.168.0.250:80']);
  });

  it('are for other hosts, other registries and IPv6 alone as well', () => {
    const stripped = texts({ ...V4, registry: { ...V4.registry, names: 'stripped' } });
    expect(stripped['etc/containers/registries.conf.d/50-private-reg.conf']).toContain(
      'location = "192.168.0.250:80"\n',
    );
    const v6: NodeRequest = {
      ...PLAIN,
      hosts: ['quay.io'],
      spoof: true,
      registry: { ...PLAIN.registry, addresses: ['fd00::250'] },
    };
    expect(texts(v6)['etc/spoofed-hosts']).toBe('fd00::250 example.com\nfd00::250 quay.io\n');
    expect(texts(v6)['kind/certs.d/quay.io/hosts.toml']).toContain('[host."http://[fd00::250]:80"]');
    const kind = nodeFiles({ ...SECURE, runtimes: ['kind'] }).map(({ path }) => path);
    expect(kind.every((path) => path.startsWith('kind/'))).toBe(true);
    expect(bootFiles({ ...PLAIN, runtimes: ['docker'] }).find(({ path }) => path.endsWith('etc/hosts'))?.content).toBe(
      '',
    );
  });

  it('have the CA wherever a runtime or the system looks for it', () => {
    const places = Object.entries(texts(SECURE)).filter(([, text]) => text === CA);
    expect(places.map(([path]) => path).sort()).toEqual([
      'etc/containerd/certs.d/private-reg.crt',
      'etc/containers/certs.d/10.0.0.5:443/ca.crt',
      'etc/docker/certs.d/10.0.0.5:443/ca.crt',
      'etc/rancher/k3s/private-reg.crt',
      'etc/rancher/rke2/private-reg.crt',
      'kind/certs.d/private-reg.crt',
      'usr/local/share/ca-certificates/private-reg.crt',
    ]);
    expect(Object.values(texts(PLAIN)).filter((text) => text.includes('CERTIFICATE'))).toEqual([]);
  });

  it('that boot with it: spoofed hosts for each address, the other names of Docker Hub among them', () => {
    const files = bootFiles({ ...PLAIN, spoof: true });
    const spoofed = files.find(({ path }) => path === 'etc/spoofed-hosts')?.content.split('\n');
    expect(spoofed).toEqual([
      ...['192.168.0.250', 'fd00::250'].flatMap((address) =>
        ['example.com', 'docker.io', 'quay.io', 'index.docker.io', 'registry-1.docker.io'].map(
          (name) => `${address} ${name}`,
        ),
      ),
      '',
    ]);
    // What is shared waits for the script.
    const staged = files.filter(({ shared }) => shared).map(({ path }) => path);
    expect(staged.every((path) => path.startsWith('etc/private-reg/'))).toBe(true);
    expect(files.find(({ path }) => path === 'etc/init.d/28private-reg.rc')?.mode).toBe(0o755);
    expect(bootFiles(PLAIN).some(({ path }) => path === 'etc/spoofed-hosts')).toBe(false);
  });

  it('of a new node have an /etc/hosts with localhost in it', () => {
    const hosts = newNodeFiles(PLAIN).find(({ path }) => path === 'etc/hosts')?.content;
    expect(hosts).toMatch(
      /^127\.0\.0\.1 localhost\n::1 localhost\n# private-reg: begin\n192\.168\.0\.250 private-reg\n/,
    );
  });

  it('in cloud-init and Butane are the same, byte for byte', () => {
    const odd = [
      '',
      ' x\n',
      '\nx',
      'x\n\n',
      'x\r\ny\n',
      '\tx\n',
      'x: "\'#\n',
      '\u0000\u0085\u2028\u{1f600}\n',
      '- x\n',
      '---\n',
    ];
    const files = [
      ...bootFiles({ ...SECURE, spoof: true }),
      ...odd.map((content, at) => ({ path: `odd/${at}`, mode: 0o600, content })),
    ];
    const wanted = files.map(({ path, content }) => [`/${path}`, content]);
    const cloud = load(cloudInit(files)) as { write_files: readonly { path: string; content: string }[] };
    expect(cloud.write_files.map(({ path, content }) => [path, content])).toEqual(wanted);
    const fcos = load(butane(files)) as {
      storage: { files: readonly { path: string; mode: number; contents: { inline: string } }[] };
    };
    expect(fcos.storage.files.map(({ path, contents }) => [path, contents.inline])).toEqual(wanted);
    expect(fcos.storage.files.map(({ mode }) => mode)).toEqual(files.map(({ mode }) => mode));
    expect(load(butane(files, 'flatcar'))).toEqual({ ...fcos, variant: 'flatcar', version: '1.0.0' });
  });

  it('of the boot script are below /etc, the CA too: /usr of Flatcar cannot be written', () => {
    const runtimes = SECURE.runtimes.filter((runtime) => runtime !== 'kind');
    const paths = bootFiles({ ...SECURE, spoof: true, runtimes }).map(({ path }) => path);
    expect(paths.filter((path) => !path.startsWith('etc/'))).toEqual([]);
    expect(paths).toContain('etc/private-reg/ca.crt');
  });
});

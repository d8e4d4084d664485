import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TemporaryDirectory, temporaryDirectory } from '../../../../test/peers/temporary.ts';
import { readClientSettings } from './read-client-settings.ts';

let directory: TemporaryDirectory;
beforeEach(async () => {
  directory = await temporaryDirectory('hosts');
});
afterEach(() => directory[Symbol.asyncDispose]());

async function write(path: string, content: string): Promise<string> {
  const file = join(directory.path, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
  return file;
}

async function rule(host: string, repository?: string, env: Record<string, string> = {}) {
  const { hostRule } = await settings(env);
  return hostRule?.(host, repository);
}

function settings(env: Record<string, string> = {}) {
  return readClientSettings({
    temporaryDirectory: tmpdir(),
    env,
    home: join(directory.path, 'home'),
    etc: join(directory.path, 'etc'),
  });
}

describe('hosts without configuration', () => {
  it('are read and written where they are', async () => {
    expect(await rule('quay.io', 'a/b')).toEqual({ mirrors: [], upstream: { host: 'quay.io' } });
    expect(await rule('docker.io', 'a/b')).toEqual({ mirrors: [], upstream: { host: 'registry-1.docker.io' } });
  });
});

describe('a host', () => {
  it('counts as named by the user if a file has rules for it, not if one blocks it or has rules for all hosts', async () => {
    await write(
      'etc/containers/registries.conf',
      `[[registry]]
location = "minio.corp:9000"
[[registry]]
prefix = "*.lab.example"
[[registry]]
location = "bad.corp"
blocked = true
[[registry]]
location = "quay.io/org"
`,
    );
    await write('etc/containerd/certs.d/toml.corp_8443_/hosts.toml', 'server = "https://toml.corp:8443"');
    await write('etc/containerd/certs.d/_default/hosts.toml', '[host."https://mirror.corp"]');
    await write('etc/docker/daemon.json', JSON.stringify({ 'insecure-registries': ['10.0.0.0/8', 'bad.corp'] }));
    const { namesHost } = await settings();
    for (const host of ['minio.corp:9000', 'a.lab.example', 'toml.corp:8443', '10.1.2.3:5000'])
      expect([host, await namesHost?.(host)]).toEqual([host, true]);
    for (const host of ['minio.corp', 'bad.corp', 'quay.io', 'mirror.corp', '192.168.0.1'])
      expect([host, await namesHost?.(host)]).toEqual([host, false]);
  });
});

describe('registries.conf', () => {
  const conf = 'etc/containers/registries.conf';

  it('redirects hosts and parts of them to other locations, the longest prefix first', async () => {
    await write(
      conf,
      `unqualified-search-registries = ["docker.io"]
[[registry]]
location = "quay.io"
insecure = true
[[registry]]
prefix = "quay.io/org"
location = "mirror.local:5000/cache/org"
[[registry]]
prefix = "docker.io"
location = "registry.local/hub"
`,
    );
    expect(await rule('quay.io', 'other/app')).toEqual({ mirrors: [], upstream: { host: 'quay.io', insecure: true } });
    expect((await rule('quay.io', 'org/app'))?.upstream).toEqual({
      host: 'mirror.local:5000',
      rename: { from: 'org', to: 'cache/org' },
    });
    expect((await rule('quay.io', 'organ/app'))?.upstream?.insecure).toBe(true);
    expect((await rule('docker.io', 'library/x'))?.upstream).toEqual({
      host: 'registry.local',
      rename: { from: '', to: 'hub' },
    });
  });

  it('has mirrors, in order, for some references or for all', async () => {
    await write(
      conf,
      `[[registry]]
location = "docker.io"
[[registry.mirror]]
location = "one:5000"
insecure = true
[[registry.mirror]]
location = "two/hub"
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "three"
pull-from-mirror = "tag-only"
`,
    );
    expect(await rule('docker.io', 'library/x')).toEqual({
      mirrors: [
        { host: 'one:5000', insecure: true, pulls: 'all' },
        { host: 'two', rename: { from: '', to: 'hub' }, pulls: 'by-digest' },
        { host: 'three', pulls: 'by-tag' },
      ],
      upstream: { host: 'registry-1.docker.io' },
    });
  });

  it('knows all hosts of a domain, and what is blocked', async () => {
    const file = await write(
      conf,
      `[[registry]]
prefix = "*.example.com"
insecure = true
[[registry]]
location = "bad.example.com"
blocked = true
`,
    );
    expect(await rule('a.b.example.com', 'x')).toEqual({
      mirrors: [],
      upstream: { host: 'a.b.example.com', insecure: true },
    });
    expect((await rule('example.com', 'x'))?.upstream).toEqual({ host: 'example.com' });
    expect((await rule('bad.example.com', 'x'))?.blockedBy).toBe(file);
  });

  it('is the user’s own where there is one, and drop-ins go before both', async () => {
    const entry = (location: string) => `[[registry]]\nprefix = "x.io"\nlocation = "${location}"\n`;
    await write(conf, entry('system'));
    expect((await rule('x.io'))?.upstream?.host).toBe('system');
    await write('home/.config/containers/registries.conf', entry('user'));
    expect((await rule('x.io'))?.upstream?.host).toBe('user');
    const named = await write('named.conf', entry('named'));
    expect((await rule('x.io', undefined, { CONTAINERS_REGISTRIES_CONF: named }))?.upstream?.host).toBe('named');
    await write('etc/containers/registries.conf.d/1.conf', entry('first'));
    await write('etc/containers/registries.conf.d/2.conf', entry('second'));
    await write('etc/containers/registries.conf.d/3.txt', 'not TOML');
    expect((await rule('x.io'))?.upstream?.host).toBe('second');
  });

  it.each([
    ['[[registry', 'is not TOML'],
    ['[[registry]]\ninsecure = true', 'without prefix and location'],
    ['[[registry]]\nlocation = "x"\ninsecure = "yes"', 'insecure is not true or false'],
    ['[[registry]]\nlocation = "x"\n[[registry.mirror]]\ninsecure = true', 'without location'],
    ['registry = 5', 'registry is not a list of tables'],
    ['[registry]\nlocation = "x"\nblocked = true', 'registry is not a list of tables'],
    ['registries = ["x"]', 'registries is not an object'],
    ['[registries.block]\nregistries = "x"', 'registries is not a list of strings'],
    ['[registries]\nblock = ["x"]', 'block is not an object'],
    ['[registries.block]\nregistries = ["*"]', 'has a wrong host in [*]'],
    ['[registries.block]\nregistries = ["y"]\n[[registry]]\nlocation = "x"', 'mixes versions 1 and 2'],
    ['[[registry]]\nprefix = "x"\nlocation = "https://y/"', 'has a scheme in [https://y/]'],
    ['[[registry]]\nprefix = "docker://x"\nlocation = "y"\nblocked = true', 'has a scheme in [docker://x]'],
    ['[[registry]]\nlocation = "x"\n[[registry.mirror]]\nlocation = "http://y"', 'has a scheme in [http://y]'],
    ['[[registry]]\nlocation = "x"\n[[registry.mirror]]\nlocation = "y:99999"', 'has a wrong host in [y:99999]'],
    ['[[registry]]\nlocation = "x.*"\nblocked = true', 'has a wrong host in [x.*]'],
    ['[[registry]]\nlocation = "x/a:1"\nblocked = true', 'has a wrong path in [x/a:1]'],
    ['[[registry]]\nlocation = "x"\nblocked = true\n[[registry]]\nlocation = "X/"', 'two entries for x'],
    ['[[registry]]\nlocation = "x"\npull-from-mirror = "all"', 'belongs to a [[registry.mirror]]'],
    [
      '[[registry]]\nlocation = "x"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "y"\npull-from-mirror = "all"',
      'has both mirror-by-digest-only',
    ],
  ])('that says %j is CONFIG_INVALID, naming the file', async (content, what) => {
    const file = await write(conf, content);
    await expect(rule('x')).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining(what) });
    await expect(rule('x')).rejects.toThrow(file);
  });
});

describe('registries.conf of version 1', () => {
  const conf = 'etc/containers/registries.conf';

  it('blocks hosts, and says which are insecure', async () => {
    const file = await write(
      conf,
      `\uFEFF[registries.search]
registries = ["docker.io"]
[registries.insecure]
registries = ["reg.local:5000", "Bad.example/"]
[registries.block]
registries = ["bad.example", "index.docker.io"]
`,
    );
    expect(await rule('reg.local:5000', 'a')).toEqual({
      mirrors: [],
      upstream: { host: 'reg.local:5000', insecure: true },
    });
    expect(await rule('bad.example', 'a')).toMatchObject({ blockedBy: file, upstream: { insecure: true } });
    expect((await rule('docker.io', 'library/x'))?.blockedBy).toBe(file);
    expect(await rule('quay.io', 'a')).toEqual({ mirrors: [], upstream: { host: 'quay.io' } });
  });

  it('is refused as a drop-in', async () => {
    const file = await write('etc/containers/registries.conf.d/1.conf', '[registries.block]\nregistries = ["x"]');
    await expect(rule('x')).rejects.toThrow(`${file} is of version 1`);
  });
});

describe('a registries.conf that the environment names', () => {
  it('is not ignored if it is missing', async () => {
    const env = { CONTAINERS_REGISTRIES_CONF: join(directory.path, 'absent.conf') };
    await expect(rule('x', undefined, env)).rejects.toThrow(env.CONTAINERS_REGISTRIES_CONF);
  });
});

describe('the Docker daemon’s configuration', () => {
  it('names insecure hosts, by name and by network, and mirrors of Docker Hub', async () => {
    await write(
      'etc/docker/daemon.json',
      JSON.stringify({
        'insecure-registries': ['reg.local:5000', '10.0.0.0/8'],
        'registry-mirrors': ['http://reg.local:5000', 'https://mirror.example/hub/'],
      }),
    );
    expect((await rule('reg.local:5000'))?.upstream).toEqual({ host: 'reg.local:5000', insecure: true });
    expect((await rule('10.1.2.3:5000'))?.upstream?.insecure).toBe(true);
    expect((await rule('11.1.2.3:5000'))?.upstream?.insecure).toBeUndefined();
    expect((await rule('docker.io', 'library/x'))?.mirrors).toEqual([
      { host: 'reg.local:5000', scheme: 'http', pulls: 'all', insecure: true },
      { host: 'mirror.example', scheme: 'https', pulls: 'all', root: '/hub/v2' },
    ]);
    expect((await rule('quay.io'))?.mirrors).toEqual([]);
  });

  it('that is broken is CONFIG_INVALID', async () => {
    await write('etc/docker/daemon.json', '{"registry-mirrors": ["mirror"]}');
    await expect(rule('docker.io')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

describe('hosts.toml', () => {
  it('gives mirrors in order, which are told the host that is meant, and can replace the host', async () => {
    await write(
      'etc/containerd/certs.d/docker.io/hosts.toml',
      `server = "https://upstream.example"
[host."http://192.168.0.250:80"]
capabilities = ["pull", "resolve"]
[host."https://two.example/v2/hub"]
capabilities = ["pull"]
skip_verify = true
override_path = true
[host."https://push.example"]
capabilities = ["push"]
`,
    );
    expect(await rule('docker.io', 'library/x')).toEqual({
      mirrors: [
        { host: '192.168.0.250', scheme: 'http', pulls: 'all', namespace: true },
        { host: 'two.example', scheme: 'https', root: '/v2/hub', insecure: true, pulls: 'by-digest', namespace: true },
      ],
      upstream: { host: 'upstream.example', scheme: 'https' },
    });
  });

  it('is found under the names that containerd uses', async () => {
    await write('etc/containerd/certs.d/_default/hosts.toml', '[host."http://any"]');
    await write('etc/containerd/certs.d/one_5000_/hosts.toml', '[host."http://one"]');
    await write('etc/containerd/certs.d/two:5000/hosts.toml', '[host."http://two"]');
    for (const [host, mirror] of Object.entries({
      'one:5000': 'one',
      'two:5000': 'two',
      'three:5000': 'any',
      four: 'any',
    })) {
      const found = await rule(host);
      expect(found?.mirrors.map((each) => each.host)).toEqual([mirror]);
      expect(found?.upstream).toEqual({ host });
    }
  });
});

describe('a hosts.toml', () => {
  it.each([
    ['[host."https://m"]\ncapabilities = ["pul"]', 'unknown capability for https://m [pul]'],
    ['[host."https://m"]\ncapabilities = "pull"', 'capabilities is not a list of strings'],
    ['[host."ftp://m"]', 'wrong address [ftp://m]'],
    ['[host."http://m:99999"]', 'wrong address [http://m:99999]'],
    ['server = "unix:///run/x"', 'wrong address [unix:///run/x]'],
    ['server = ["https://m"]', 'server is not a string'],
    ['host = ["https://m"]', 'host is not an object'],
    ['[host]\n"https://m" = 5', 'wrong entry for https://m'],
  ])('that says %j is CONFIG_INVALID, naming the file', async (content, what) => {
    const file = await write('etc/containerd/certs.d/x.io/hosts.toml', content);
    await expect(rule('x.io')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(what),
    });
    await expect(rule('x.io')).rejects.toThrow(file);
  });

  it('with an empty list of capabilities allows all, as for containerd', async () => {
    await write('etc/containerd/certs.d/x.io/hosts.toml', '[host."https://m"]\ncapabilities = []');
    expect((await rule('x.io'))?.mirrors).toMatchObject([{ host: 'm', pulls: 'all' }]);
  });
});

describe('certificates of a host', () => {
  const pem = (name: string) => `-----BEGIN ${name}-----\n`;

  it('are named by hosts.toml, beside it or anywhere', async () => {
    const ca = await write('elsewhere/ca.crt', pem('CA'));
    await write('etc/containerd/certs.d/x.io/client.pem', pem('CERT'));
    await write('etc/containerd/certs.d/x.io/key.pem', pem('KEY'));
    await write(
      'etc/containerd/certs.d/x.io/hosts.toml',
      `ca = "${ca}"\n[host."https://mirror:5000"]\nca = ["${ca}"]\nclient = [["client.pem", "key.pem"]]\n`,
    );
    const { hostRule, tlsFiles } = await settings();
    await hostRule?.('x.io', 'a/b');
    expect(await tlsFiles?.('x.io')).toEqual({ ca: [pem('CA')] });
    expect(await tlsFiles?.('mirror:5000')).toEqual({ ca: [pem('CA')], cert: pem('CERT'), key: pem('KEY') });
  });

  it('are found in all three searched, with the port or without', async () => {
    await write('etc/containers/certs.d/reg:5000/a.crt', pem('A'));
    await write('home/.config/containers/certs.d/reg:5000/b.crt', pem('B'));
    await write('etc/docker/certs.d/reg:5000/ca.crt', pem('C'));
    await write('etc/docker/certs.d/reg:5000/client.cert', pem('CERT'));
    await write('etc/docker/certs.d/reg:5000/client.key', pem('KEY'));
    await write('etc/docker/certs.d/docker.io/hub.crt', pem('HUB'));
    const { tlsFiles } = await settings();
    expect(await tlsFiles?.('reg:5000')).toEqual({
      ca: [pem('A'), pem('B'), pem('C')],
      cert: pem('CERT'),
      key: pem('KEY'),
    });
    expect(await tlsFiles?.('registry-1.docker.io')).toEqual({ ca: [pem('HUB')] });
    expect(await tlsFiles?.('reg')).toEqual({ ca: [] });
  });

  it('that are broken are CONFIG_INVALID, naming the file', async () => {
    const file = await write('etc/docker/certs.d/reg/ca.crt', 'nothing');
    const { tlsFiles } = await settings();
    await expect(tlsFiles?.('reg')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(file),
    });
    await write('etc/containers/certs.d/other/client.cert', pem('CERT'));
    await expect(tlsFiles?.('other')).rejects.toThrow('client.key');
    await write('etc/containers/certs.d/third/client.key', pem('KEY'));
    await expect(tlsFiles?.('third')).rejects.toThrow('client.cert');
  });
});

describe('settings', () => {
  it('hold the proxies, and look for credentials only when asked', async () => {
    const { proxies, credentials } = await settings({ https_proxy: 'http://proxy:3128' });
    expect(proxies).toEqual({ https: 'http://proxy:3128' });
    expect(credentials?.searched).toContain(join(directory.path, 'home/.docker/config.json'));
    await write('home/.docker/config.json', 'broken');
    await expect(credentials?.find('x', undefined)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

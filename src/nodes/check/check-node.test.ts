import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { must, run } from '../../../test/peers/process.ts';
import { temporaryDirectory } from '../../../test/peers/temporary.ts';
import type { NodeRequest } from '../node-file.ts';
import { newNodeFiles } from '../node-files.ts';
import { checkNode } from './check-node.ts';
import type { NodeFacts } from './probe-answer.ts';
import { parseProbe } from './probe-answer.ts';
import { PROBE_SCRIPT, SCRIPT_HEAD } from './probe-script.ts';
import { parsePulls, pullScript } from './pull-script.ts';

const REQUEST: NodeRequest = {
  registry: { addresses: ['10.0.0.1', 'fd00::1'], port: 80, scheme: 'http', names: 'with-host' },
  hosts: ['docker.io', 'quay.io', 'registry.k8s.io'],
  runtimes: ['crio', 'containerd', 'docker', 'k3s', 'rke2'],
  spoof: true,
};
const PROGRAMS = {
  containerd: 'containerd containerd.io 1.7.24 x',
  podman: 'podman version 4.3.1',
  dockerd: 'Docker 27',
  k3s: 'k3s v1',
  rke2: 'rke2 v1',
};
const POLICY = { '/etc/containers/policy.json': '{}' };

function facts(
  files: Readonly<Record<string, string>>,
  programs: Readonly<Record<string, string>> = {},
  processes: Readonly<Record<string, string>> = {},
): NodeFacts {
  const map = <T>(record: Readonly<Record<string, T>>) => new Map(Object.entries(record));
  const running = map(processes);
  return {
    files: map(files),
    programs: map(programs),
    processes: new Map([...running].map(([name, line]) => [name, line.split('\n')])),
    directories: new Set(),
    unreadable: [],
  };
}

function filesOf(request: NodeRequest): Readonly<Record<string, string>> {
  return Object.fromEntries(newNodeFiles(request).map(({ path, content }) => [`/${path}`, content]));
}

function found(
  files: Readonly<Record<string, string>>,
  programs: Readonly<Record<string, string>> = {},
  processes: Readonly<Record<string, string>> = {},
): readonly string[] {
  return checkNode(facts(files, programs, processes)).flatMap(({ findings }) => findings.map(({ what }) => what));
}

describe('a check of a node', () => {
  it('finds nothing wrong with what node_config writes', () => {
    const checks = checkNode(facts({ ...filesOf(REQUEST), ...POLICY }, PROGRAMS), REQUEST.registry);
    expect(checks.map(({ runtime, findings }) => [runtime, findings])).toEqual(
      ['podman', 'containerd', 'docker', 'k3s', 'rke2'].map((runtime) => [runtime, []]),
    );
    const asks = Object.fromEntries(checks.map(({ runtime, asks }) => [runtime, asks['quay.io']]));
    expect(asks).toEqual({
      podman: ['http://private-reg:80/quay.io', 'https://quay.io'],
      containerd: ['http://private-reg:80', 'https://quay.io'],
      docker: ['http://quay.io'],
      k3s: ['http://private-reg:80', 'https://quay.io'],
      rke2: ['http://private-reg:80', 'https://quay.io'],
    });
  });

  it('says which runtimes ask others first', () => {
    const checks = checkNode(facts(POLICY, PROGRAMS), REQUEST.registry);
    const elsewhere = checks.map(({ findings }) => findings.at(-1)?.what);
    expect(elsewhere).toEqual([
      'it does not ask the private registry first for docker.io, quay.io, registry.k8s.io',
      'it does not ask the private registry first for docker.io, quay.io, registry.k8s.io, unlisted.example',
      'it does not ask the private registry first for docker.io, quay.io, registry.k8s.io',
      'it does not ask the private registry first for docker.io, quay.io, registry.k8s.io, unlisted.example',
      'it does not ask the private registry first for docker.io, quay.io, registry.k8s.io, unlisted.example',
    ]);
    const files = { ...filesOf({ ...REQUEST, spoof: false }), ...POLICY };
    const docker = checkNode(facts(files, PROGRAMS), REQUEST.registry).find(({ runtime }) => runtime === 'docker');
    expect(docker?.findings.map(({ mend }) => mend)).toEqual([expect.stringContaining('--spoof')]);
    expect(checkNode(facts({}))).toEqual([]);
  });

  it.each([
    ['config_path is not set', { '/etc/containerd/config.toml': 'version = 2\n' }],
    [
      'config_path is not set',
      {
        '/etc/containerd/config.toml':
          'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = ""\n',
      },
    ],
    [
      'several directories [/etc/containerd/certs.d:/etc/docker/certs.d]',
      {
        '/etc/containerd/config.toml':
          "version = 3\n[plugins.'io.containerd.cri.v1.images'.registry]\nconfig_path = '/etc/containerd/certs.d:/etc/docker/certs.d'\n",
      },
    ],
    [
      'config_path is /etc/mine',
      {
        '/etc/containerd/config.toml':
          'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "/etc/mine"\n',
      },
    ],
    [
      'so certs.d is not read',
      {
        '/etc/containerd/config.toml':
          'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry.mirrors."docker.io"]\nendpoint = ["http://m"]\n',
      },
    ],
    [
      'the CRI plugin does not start',
      {
        '/etc/containerd/config.toml':
          'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "/etc/containerd/certs.d"\n[plugins."io.containerd.grpc.v1.cri".registry.mirrors."docker.io"]\nendpoint = ["http://m"]\n',
      },
    ],
    ['the CRI plugin is off', { '/etc/containerd/config.toml': 'version = 2\ndisabled_plugins = ["cri"]\n' }],
    ['of version 1: tables', { '/etc/containerd/config.toml': 'root = "/x"\n' }],
    ['config.toml is not TOML', { '/etc/containerd/config.toml': 'version = \n' }],
    [
      'registries.conf is of version 1, and node_config',
      { '/etc/containers/registries.conf': "[registries.search]\nregistries = ['docker.io']\n" },
    ],
    [
      '50.conf is of version 1, beside version 2: every pull fails',
      { '/etc/containers/registries.conf.d/50.conf': "[registries.search]\nregistries = ['docker.io']\n" },
    ],
    [
      'registries.conf is of version 1, beside version 2: every pull fails',
      { '/etc/containers/registries.conf': "unqualified-search-registries = ['docker.io']\n[registries.search]\n" },
    ],
    [
      'a location is a URL [http://r/quay.io]: every pull fails',
      { '/etc/containers/registries.conf': '[[registry]]\nprefix = "quay.io"\nlocation = "http://r/quay.io"\n' },
    ],
    [
      '[[registry]] quay.io has no location: every pull fails',
      { '/etc/containers/registries.conf': '[[registry]]\nprefix = "quay.io"\nblocked = true\n' },
    ],
    [
      'there are 2 registries for them',
      {
        '/etc/containers/registries.conf':
          'unqualified-search-registries = ["a.io", "b.io"]\nshort-name-mode = "enforcing"\n',
      },
    ],
    [
      'names without a host are refused',
      {
        '/etc/containers/registries.conf': 'unqualified-search-registries = ["a.io"]\n',
        '/etc/containers/registries.conf.d/50.conf': 'unqualified-search-registries = []\n',
      },
    ],
    [
      'config_path stands in [plugins."io.containerd.grpc.v1.cri".registry], which version 3 does not read',
      {
        '/etc/containerd/config.toml':
          'version = 3\n[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "/etc/containerd/certs.d"\n',
      },
    ],
    [
      'an IPv6 address [[fd00::1]:80/quay.io]',
      { '/etc/containers/registries.conf': '[[registry]]\nprefix = "quay.io"\nlocation = "[fd00::1]:80/quay.io"\n' },
    ],
    ['names without a host are refused', { '/etc/containers/registries.conf': '' }],
    ['registries.yaml cannot be read', { '/etc/rancher/k3s/registries.yaml': 'mirrors:\n  *:\n    endpoint: []\n' }],
    ['daemon.json cannot be read', { '/etc/docker/daemon.json': '{' }],
    ['daemon.json cannot be read', { '/etc/docker/daemon.json': '\n' }],
    ['a mirror that is no URL [r:5000]', { '/etc/docker/daemon.json': '{"registry-mirrors": ["r:5000"]}' }],
    ['a mirror that is no URL [10.0.0.1:80]', { '/etc/docker/daemon.json': '{"registry-mirrors": ["10.0.0.1:80"]}' }],
    [
      'a mirror that has a path [http://r/docker.io]',
      { '/etc/docker/daemon.json': '{"registry-mirrors": ["http://r/docker.io"]}' },
    ],
  ])('knows the trap: %s', (what, files) => {
    expect(found(files)).toContainEqual(expect.stringContaining(what));
  });

  it('knows what depends on the program', () => {
    const config =
      'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "/etc/containerd/certs.d"\n';
    const files = {
      '/etc/containerd/config.toml': config,
      '/etc/containerd/certs.d/_default/hosts.toml': '[host."http://[fd00::1]:80"]\n',
    };
    expect(found(files, { containerd: 'containerd x v1.7.24 y' })).toContainEqual(expect.stringContaining('IPv6'));
    expect(found(files, { containerd: 'containerd x v2.1.9 y' })).toEqual([]);
    expect(found(files, {}, { containerd: 'containerd -c /x/c.toml' })).toContainEqual(
      'it reads another configuration [/x/c.toml]',
    );
    expect(found({}, { dockerd: 'x' }, { dockerd: 'dockerd --config-file=/x' })).toEqual([
      'it reads another configuration [/x]',
    ]);
    expect(found({}, { podman: 'x' })).toContainEqual(expect.stringContaining('policy.json is missing'));
  });

  it('reads mirrors as the runtimes do', () => {
    const wildcard = '[[registry]]\nprefix = "*.io"\nlocation = "mine/x"\ninsecure = true\n';
    const longer = '[[registry]]\nprefix = "*.k8s.io"\nlocation = "k8s/x"\n';
    const exact = '[[registry]]\nprefix = "quay.io"\nlocation = "quay.io"\nblocked = true\n';
    const digests =
      '[[registry]]\nlocation = "docker.io"\n[[registry.mirror]]\nlocation = "m"\npull-from-mirror = "digest-only"\n';
    for (const conf of [wildcard + longer + exact + digests, exact + longer + wildcard + digests]) {
      const [podman] = checkNode(facts({ '/etc/containers/registries.conf': conf }));
      expect(podman?.asks).toEqual({
        'quay.io': [],
        'registry.k8s.io': ['https://k8s/x'],
        'docker.io': ['https://registry-1.docker.io'],
        'unlisted.example': ['https://unlisted.example'],
      });
    }
    const kept = '[[registry]]\nprefix = "*.io"\nlocation = ""\nmirror = [{ location = "m" }]\n';
    const [podman] = checkNode(facts({ '/etc/containers/registries.conf': kept }));
    expect(podman?.asks['quay.io']).toEqual(['https://m', 'https://quay.io']);
    const mirrors =
      'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry.mirrors."*"]\nendpoint = ["http://m"]\n';
    const [containerd] = checkNode(facts({ '/etc/containerd/config.toml': mirrors }));
    expect(containerd?.asks['quay.io']).toEqual(['http://m', 'https://quay.io']);
    const [docker] = checkNode(facts({}, { dockerd: 'x' }, { dockerd: 'dockerd --registry-mirror http://m -D' }));
    expect(docker?.asks['docker.io']).toEqual(['http://m', 'https://registry-1.docker.io']);
  });

  it('believes containerd itself, which knows its imports and defaults', () => {
    const programs = { containerd: 'containerd x v2.1.9 y' };
    const certs = { '/etc/containerd/certs.d/_default/hosts.toml': '[host."http://m"]\n' };
    const table = (path: string) => `[plugins.'io.containerd.cri.v1.images'.registry]\nconfig_path = '${path}'\n`;
    const asked = (dump: string) => {
      const [check] = checkNode({ ...facts(certs, programs), containerdConfig: `version = 3\n${dump}` });
      return [check?.asks['quay.io']?.[0], check?.findings.map(({ what }) => what), check?.reads[0]];
    };
    const imports = "imports = ['/etc/containerd/conf.d/r.toml']\n";
    expect(asked(imports + table('/etc/containerd/certs.d/'))).toEqual([
      'http://m',
      [],
      '/etc/containerd/conf.d/r.toml',
    ]);
    // As containerd 2.1 is without a file.
    expect(asked(table(''))).toEqual([
      'https://quay.io',
      ['config_path is not set, so certs.d is not read'],
      undefined,
    ]);
    expect(checkNode(facts(certs, programs))[0]?.asks['quay.io']).toEqual(['https://quay.io']);
  });

  it('knows that the directory of a host counts, also without a file in it, and what a mirror is for', () => {
    const config =
      'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "/etc/containerd/certs.d"\n';
    const node = facts({
      '/etc/containerd/config.toml': config,
      '/etc/containerd/certs.d/_default/hosts.toml':
        '[host."http://p"]\ncapabilities = ["push"]\n[host."http://m"]\ncapabilities = ["pull", "resolve"]\n',
    });
    const [containerd] = checkNode({ ...node, directories: new Set(['/etc/containerd/certs.d/quay.io']) });
    expect(containerd?.asks).toMatchObject({
      'quay.io': ['https://quay.io'],
      'docker.io': ['http://m', 'https://registry-1.docker.io'],
    });
    expect(containerd?.findings.map(({ what }) => what)).toEqual([
      '/etc/containerd/certs.d/quay.io/hosts.toml is missing, and without it quay.io is asked',
    ]);
  });

  it('tells the containerd of the system from those of docker and k3s', () => {
    const off = { '/etc/containerd/config.toml': 'disabled_plugins = ["cri"]\n' };
    expect(checkNode(facts(off, { dockerd: 'x' })).map(({ runtime }) => runtime)).toEqual(['docker']);
    const lines = [
      'containerd -c /var/lib/rancher/k3s/agent/etc/containerd/config.toml',
      'containerd --config /var/run/docker/containerd/containerd.toml',
    ];
    const running = (more: string) => found({}, { containerd: 'x 1.7.1' }, { containerd: [...lines, more].join('\n') });
    expect(running('containerd -c /x/c.toml')).toContain('it reads another configuration [/x/c.toml]');
    expect(running('/usr/bin/containerd\ncontainerd -c /x/c.toml')).not.toContainEqual(expect.stringContaining('/x'));
  });

  it('says nothing of a runtime whose files it could not read', () => {
    const unreadable = ['/etc/rancher/k3s/registries.yaml', '/etc/docker/', '/etc/containers/policy.json'];
    const node = { ...facts({}, { podman: 'x', k3s: 'x', dockerd: 'x', rke2: 'x' }), unreadable };
    const checks = checkNode(node, REQUEST.registry);
    expect(checks.map(({ runtime, asks, findings }) => [runtime, asks, findings[0]?.what])).toEqual([
      ...['podman', 'docker', 'k3s'].map((runtime) => [
        runtime,
        {},
        expect.stringContaining('what it does cannot be told'),
      ]),
      ['rke2', expect.anything(), expect.stringContaining('does not ask')],
    ]);
    const hidden = { ...facts({}), unreadable: ['/etc/rancher/k3s/registries.yaml'] };
    expect(checkNode(hidden).map(({ runtime }) => runtime)).toEqual(['k3s']);
  });

  it('is not stopped by values of any type', () => {
    const odd = '{ toString = 1, valueOf = 1 }';
    const json = '[{"toString": 1, "valueOf": 1}, null, 5]';
    const node = facts(
      {
        '/etc/containers/registries.conf': `unqualified-search-registries = ${odd}\n[[registry]]\nprefix = ${odd}\nlocation = ${odd}\nmirror = [${odd}]\n`,
        '/etc/containers/policy.json': json,
        '/etc/containerd/config.toml': `version = ${odd}\nimports = [${odd}]\ndisabled_plugins = [${odd}]\nplugins = ${odd}\n`,
        '/etc/docker/daemon.json': `{"registry-mirrors": ${json}, "insecure-registries": {}}`,
        '/etc/rancher/k3s/registries.yaml': `mirrors: {"*": {endpoint: ${json}}}`,
      },
      PROGRAMS,
    );
    expect(checkNode(node, REQUEST.registry)).toHaveLength(5);
  });
});

describe('the scripts for a node', () => {
  it('tell what there is, on any machine with a shell', async () => {
    const answer = await must('sh', ['-s'], { input: PROBE_SCRIPT });
    const told = parseProbe(`Welcome!\n${answer.replaceAll('\n', '\r\n')}`);
    expect([...told.files.keys()]).toContain('/etc/hosts');
    expect(told.files.get('/etc/hosts')).toContain('localhost');
    expect(() => parseProbe(answer.slice(0, -10))).toThrow('did not answer to the end');
    expect(parseProbe('@ unreadable /x\n@ process dockerd dockerd -D\n@ end\n')).toMatchObject({ unreadable: ['/x'] });
  });

  it('say what they lack, and take no line of others for their own', async () => {
    await using directory = await temporaryDirectory('probe');
    const [program] = [join(directory.path, 'containerd')];
    await writeFile(program, `#!/bin/sh\nread -r line; echo "got $line"\n`, { mode: 0o755 });
    const PATH = `${directory.path}:${process.env.PATH}`;
    const { files, programs } = parseProbe(await must('sh', ['-s'], { input: PROBE_SCRIPT, env: { PATH } }));
    // What is started reads nothing of the script.
    expect([programs.get('containerd'), files.has('/etc/hosts')]).toEqual(['got ', true]);
    const said = await must('sh', ['-s'], { input: `${SCRIPT_HEAD}say file "/x\n@ program podman x\r\n@ end"` });
    expect(said).toBe('@ file /x @ program podman x  @ end\n');
    expect(() => parseProbe('@ lacks sed\n@ lacks tr\n@ end\n')).toThrow('the node has no sed, tr');
  });

  it('tell of files that are too large, and end soon', async () => {
    await using directory = await temporaryDirectory('probe');
    const large = join(directory.path, 'large');
    const odd = join(directory.path, 'odd');
    await writeFile(large, 'x');
    await truncate(large, 100 * 1024 * 1024);
    const script = PROBE_SCRIPT.replaceAll('/etc/hosts', `${large} ${odd}`);
    await writeFile(odd, Buffer.from('a\0b\n|c\n@ end\n'));
    const { unreadable, files } = parseProbe(await must('sh', ['-s'], { input: script }));
    expect(unreadable).toContain(large);
    expect(files.get(odd)).toContain('|c\n@ end\n');
  });

  it('pull by the program that is there, and say what it said', async () => {
    const asks = {
      'docker.io': ['https://registry-1.docker.io'],
      'quay.io': ['https://quay.io'],
      'unlisted.example': [],
    };
    const checks = (['podman', 'containerd', 'docker', 'k3s'] as const).map((runtime) => ({
      runtime,
      asks,
      reads: [],
      findings: [],
    }));
    const script = pullScript(checks, 'node-check/x:1');
    const fakes = 'podman() { echo $*; }; crictl() { echo no $2; return 1; }; docker() { echo; }\n';
    const { stdout, status } = await run('sh', ['-s'], {
      input: `${fakes}limited() { "$@"; }\n${script.replace(/^limited.*$/m, '')}`,
    });
    expect(status).toBe(0);
    expect(parsePulls(stdout)).toEqual([
      { runtime: 'podman', host: 'docker.io', isPulled: true },
      { runtime: 'podman', host: 'quay.io', isPulled: true },
      ...['docker.io', 'quay.io', 'unlisted.example'].map((host) => ({
        runtime: 'containerd',
        host,
        isPulled: false,
        error: `no ${host}/node-check/x:1`,
      })),
      { runtime: 'docker', host: 'docker.io', isPulled: true },
    ]);
  });
});

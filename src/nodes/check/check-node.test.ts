import { describe, expect, it } from 'vitest';
import { must, run } from '../../../test/peers/process.ts';
import type { NodeRequest } from '../node-file.ts';
import { newNodeFiles } from '../node-files.ts';
import { checkNode } from './check-node.ts';
import type { NodeFacts } from './probe-answer.ts';
import { parseProbe } from './probe-answer.ts';
import { PROBE_SCRIPT } from './probe-script.ts';
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
  const map = (record: Readonly<Record<string, string>>) => new Map(Object.entries(record));
  return { files: map(files), programs: map(programs), processes: map(processes), unreadable: [] };
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
      'of version 1: with drop-ins',
      { '/etc/containers/registries.conf': "[registries.search]\nregistries = ['docker.io']\n" },
    ],
    [
      'an IPv6 address [[fd00::1]:80/quay.io]',
      { '/etc/containers/registries.conf': '[[registry]]\nprefix = "quay.io"\nlocation = "[fd00::1]:80/quay.io"\n' },
    ],
    ['names without a host are refused', { '/etc/containers/registries.conf': '' }],
    ['registries.yaml cannot be read', { '/etc/rancher/k3s/registries.yaml': 'mirrors:\n  *:\n    endpoint: []\n' }],
    ['daemon.json cannot be read', { '/etc/docker/daemon.json': '{' }],
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
    const conf =
      '[[registry]]\nprefix = "*.io"\nlocation = "mine/x"\ninsecure = true\n[[registry]]\nprefix = "registry.k8s.io"\nblocked = true\n';
    const [podman] = checkNode(facts({ '/etc/containers/registries.conf': conf }));
    expect(podman?.asks).toMatchObject({ 'quay.io': ['http://mine/x'], 'registry.k8s.io': ['http://mine/x'] });
    const mirrors =
      'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry.mirrors."*"]\nendpoint = ["http://m"]\n';
    const [containerd] = checkNode(facts({ '/etc/containerd/config.toml': mirrors }));
    expect(containerd?.asks['quay.io']).toEqual(['http://m', 'https://quay.io']);
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

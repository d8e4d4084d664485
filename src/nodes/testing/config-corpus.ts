// Forms in which containerd's config.toml is met, and what becomes of them: by nodes/shared/containerd-config.ts and by the boot script.
import { VERSION_1 } from '../shared/containerd-config.ts';

export interface ConfigCase {
  readonly what: string;
  readonly before: string;
  readonly after?: string;
  readonly refused?: string;
}

const TRANSFER = `
[plugins."io.containerd.transfer.v1.local"]
  config_path = "/etc/containerd/certs.d"
`;

export const CONFIG_CORPUS: readonly ConfigCase[] = [
  {
    what: 'of comments alone becomes one of version 2',
    before: '# nothing\n',
    after: `version = 2\n# nothing\n\n[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = "/etc/containerd/certs.d"\n${TRANSFER}`,
  },
  {
    what: 'of Debian keeps what it says of the plugin',
    before: `version = 2

[plugins]
  [plugins."io.containerd.grpc.v1.cri"]
    [plugins."io.containerd.grpc.v1.cri".cni]
      bin_dir = "/usr/lib/cni"
      conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.internal.v1.opt"]
    path = "/var/lib/containerd"
`,
    after: `version = 2

[plugins]
  [plugins."io.containerd.grpc.v1.cri"]
    [plugins."io.containerd.grpc.v1.cri".cni]
      bin_dir = "/usr/lib/cni"
      conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.internal.v1.opt"]
    path = "/var/lib/containerd"

[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "/etc/containerd/certs.d"
${TRANSFER}`,
  },
  {
    what: 'with an empty config_path and empty mirrors, as containerd 1.6 prints it',
    before: `version = 2
[plugins."io.containerd.grpc.v1.cri".registry]
      config_path = ""

      [plugins."io.containerd.grpc.v1.cri".registry.auths]

      [plugins."io.containerd.grpc.v1.cri".registry.mirrors]
`,
    after: `version = 2
[plugins."io.containerd.grpc.v1.cri".registry]
      config_path = "/etc/containerd/certs.d"

      [plugins."io.containerd.grpc.v1.cri".registry.auths]

      [plugins."io.containerd.grpc.v1.cri".registry.mirrors]
${TRANSFER}`,
  },
  {
    what: 'of version 3 with two directories, of which the transfer service reads none',
    before: `version = 3
[plugins]
  [plugins.'io.containerd.cri.v1.images'.registry] # here
    config_path = '/etc/containerd/certs.d:/etc/docker/certs.d'
  [plugins.'io.containerd.transfer.v1.local']
    config_path = ''`,
    after: `version = 3
[plugins]
  [plugins.'io.containerd.cri.v1.images'.registry] # here
    config_path = "/etc/containerd/certs.d"
  [plugins.'io.containerd.transfer.v1.local']
    config_path = "/etc/containerd/certs.d"`,
  },
  {
    what: 'with the table and no config_path gets one',
    before: `version = 3
[plugins.'io.containerd.cri.v1.images'.registry]
[plugins.'io.containerd.transfer.v1.local']
  config_path = '/etc/elsewhere'
`,
    after: `version = 3
[plugins.'io.containerd.cri.v1.images'.registry]
  config_path = "/etc/containerd/certs.d"
[plugins.'io.containerd.transfer.v1.local']
  config_path = '/etc/elsewhere'
`,
  },
  {
    what: 'with mirrors of its own stays',
    before: `version = 2
[plugins."io.containerd.grpc.v1.cri".registry.mirrors."docker.io"]
  endpoint = ["https://mirror.example"]
`,
    refused: 'it has mirrors of its own',
  },
  {
    what: 'with mirrors in one line stays',
    before: `version = 2
[plugins."io.containerd.grpc.v1.cri".registry.mirrors]
  "docker.io" = { endpoint = ["https://mirror.example"] }
`,
    refused: 'it has mirrors of its own',
  },
  {
    what: 'with TLS settings stays',
    before: `version = 2
[plugins."io.containerd.grpc.v1.cri".registry.configs."r.example".tls]
  ca_file = "/x"
`,
    refused: 'it has TLS settings of its own',
  },
  {
    what: 'with another directory stays',
    before: `version = 2
[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "/etc/mine"
`,
    refused: 'its config_path is /etc/mine',
  },
  {
    what: 'of version 1 stays',
    before: `[plugins.cri.registry]
`.concat('  x = 1\n'),
    refused: VERSION_1,
  },
  {
    what: 'of a package of docker stays, with what is to be done',
    before: `#   Copyright
disabled_plugins = ["cri"]

#root = "/var/lib/containerd"
#[grpc]
#  address = "/run/containerd/containerd.sock"
`,
    refused: VERSION_1,
  },
  {
    what: 'of a version to come stays',
    before: 'version = 4\n',
    refused: 'it is not of version 2 or 3',
  },
  {
    what: 'with dotted keys stays',
    before: `version = 2
[plugins."io.containerd.grpc.v1.cri"]
  registry.config_path = ""
`,
    refused: 'the table of the registry is written in another way than [plugins."io.containerd.grpc.v1.cri".registry]',
  },
  {
    what: 'with quotes that mean nothing',
    before: `"version" = 2
["plugins"."io.containerd.grpc.v1.cri"."registry"]
  'config_path' = ''
`,
    after: `"version" = 2
["plugins"."io.containerd.grpc.v1.cri"."registry"]
  config_path = "/etc/containerd/certs.d"
${TRANSFER}`,
  },
  {
    what: 'with lines of Windows',
    before: 'version = 2\r\n[plugins."io.containerd.grpc.v1.cri".registry]\r\nconfig_path = ""\r\n',
    after: `version = 2\r\n[plugins."io.containerd.grpc.v1.cri".registry]\r\nconfig_path = "/etc/containerd/certs.d"\n${TRANSFER}`,
  },
  {
    what: 'with lists of several lines, which have no tables in them',
    before: `version = 2
disabled_plugins = [
  "io.containerd.grpc.v1.cri", # [
]
x = [
  ["plugins.'io.containerd.grpc.v1.cri'.registry"],
]
`,
    after: `version = 2
disabled_plugins = [
  "io.containerd.grpc.v1.cri", # [
]
x = [
  ["plugins.'io.containerd.grpc.v1.cri'.registry"],
]

[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "/etc/containerd/certs.d"
${TRANSFER}`,
  },
  {
    what: 'with the transfer service in one line',
    before: `version = 2
[plugins]
  "io.containerd.transfer.v1.local" = { config_path = "" }
`,
    after: `version = 2
[plugins]
  "io.containerd.transfer.v1.local" = { config_path = "" }

[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "/etc/containerd/certs.d"
`,
  },
  {
    what: 'with all plugins in one line stays',
    before: 'version = 2\nplugins = { x = { y = 1 } }\n',
    refused: 'the table of the registry is written in another way than [plugins."io.containerd.grpc.v1.cri".registry]',
  },
  {
    what: 'with strings of several lines stays',
    before: "version = 2\nx = '''\n[plugins]\n'''\n",
    refused: 'it has strings of several lines',
  },
  {
    what: 'with mirrors in dotted keys stays',
    before: `version = 2
[plugins."io.containerd.grpc.v1.cri".registry]
mirrors."docker.io".endpoint = ["https://mirror.example"]
`,
    refused: 'it has mirrors of its own',
  },
  {
    what: 'with TLS settings in one line stays',
    before: `version = 2
[plugins."io.containerd.grpc.v1.cri".registry.configs."r.example"]
tls = { insecure_skip_verify = true }
`,
    refused: 'it has TLS settings of its own',
  },
  {
    what: 'with a list that does not end stays',
    before: 'version = 2\nx = [\n',
    refused: 'it cannot be read',
  },
];

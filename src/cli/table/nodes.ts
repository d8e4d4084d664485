// The commands for nodes: the machines that pull from the registry.
import type { CommandSpec } from '../grammar/command.ts';
import { DATA, JSON_OUTPUT } from '../grammar/common-options.ts';

export const NODE_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'node_config',
    group: 'Nodes',
    summary: 'Write the configuration by which nodes find the private registry',
    details: [
      'Of CRI-O, podman and skopeo, containerd 1.5 to 2.x, docker, k3s and rke2: for docker.io, quay.io, registry.k8s.io and the other well-known hosts, they ask the private registry first, and the host itself for what it lacks. Without --output the files are printed.',
      'FILE.tar is unpacked on the root of a node. --format=boot adds a script (etc/init.d/28private-reg.rc), which puts ours into files that are there already; it runs at boot, or once. cloud-init and Butane get the same.',
    ],
    arguments: [],
    options: [
      {
        name: 'runtime',
        value: 'crio|podman|containerd|docker|k3s|rke2|kind|all',
        many: true,
        help: 'Whose configuration (default all: crio, containerd, docker, k3s); kind: of a cluster that is made with `kind create cluster`',
      },
      {
        name: 'output',
        value: 'DIR|FILE.tar|-',
        help: 'Where to write it; -: a tar on stdout',
        complete: 'files',
      },
      {
        name: 'format',
        value: 'files|boot|cloud-init|butane|flatcar',
        help: 'In which form (default files: for nodes that have none of them; flatcar: Butane for Flatcar)',
      },
      {
        name: 'registry',
        value: 'HOST:PORT',
        many: true,
        help: 'The registry, with https:// before it for HTTPS; several addresses of it are taken (default: what lreg_ip prints, and its IPv6 address)',
      },
      { name: 'ca', value: 'FILE', help: 'The CA of its certificate (default: its own CA)', complete: 'files' },
      {
        name: 'host',
        value: 'HOST,…',
        many: true,
        help: 'More hosts whose images it has, beside the well-known ones or those in the file that $__dns_spoof names',
      },
      {
        name: 'spoof',
        help: 'Nodes take the registry for these hosts (/etc/hosts): docker finds it for others than docker.io, too. It should listen on port 80 or 443',
      },
      { name: 'only', help: 'Never ask the hosts themselves' },
      {
        name: 'apply',
        help: 'Configure this machine instead: shows what is written, asks, and keeps what was there (default: for the runtimes that it has)',
      },
      { name: 'remove', help: 'Undo --apply' },
      { name: 'root', value: 'DIR', help: 'With --apply and --remove: the root of another file system (default /)' },
      { name: 'dry-run', help: 'With --apply and --remove: only show what is written' },
      { name: 'yes', help: 'With --apply and --remove: do not ask' },
      DATA,
      JSON_OUTPUT,
    ],
    status: '0: done; 1: failed, or a file of others stays as it is.',
    examples: [
      { command: 'images node_config --apply --dry-run', help: 'What would change on this machine?' },
      { command: 'images node_config --output=node.tar', help: 'To be unpacked on a new node' },
      { command: 'images node_config --format=cloud-init > user-data', help: 'For VMs of a cloud' },
      {
        command: 'images node_config --runtime=kind --output=.',
        help: 'For `kind create cluster --config=kind/cluster.yaml`',
      },
    ],
    load: () => import('../commands/node-config.ts'),
  },
  {
    name: 'node_check',
    group: 'Nodes',
    summary: 'Tell whom the runtimes of a node ask for images, and what is wrong with it',
    details: [
      'Of podman and CRI-O, containerd, docker, k3s and rke2: which files they read, whom they ask for docker.io, quay.io, registry.k8s.io and a host that is in no list, and which known traps hold, each with its mend. The node needs a POSIX shell; nothing is changed there.',
      '--pull puts an image that nobody else has into the private registry, pulls it on the node under the name of each host, and removes it again: what succeeds came from there.',
    ],
    arguments: [],
    options: [
      {
        name: 'exec',
        value: 'COMMAND',
        help: 'How the node is reached: `ssh vm1`, `docker exec -i NODE` (default: this machine)',
      },
      { name: 'pull', help: 'Pull a test image, too' },
      {
        name: 'registry',
        value: 'HOST:PORT',
        many: true,
        help: 'The registry that is to be asked (default: what lreg_ip prints)',
      },
      DATA,
      JSON_OUTPUT,
    ],
    status: '0: all is right; 1: something is wrong.',
    examples: [{ command: "images node_check --exec='ssh vm1' --pull", help: 'Does this VM pull from here?' }],
    load: () => import('../commands/node-check.ts'),
  },
];

// The command that makes images in a form that VMs boot with.
import type { CommandSpec } from '../grammar/command.ts';
import { CHART_VALUES, DATA, JSON_OUTPUT, ONE_PLATFORM, PAUSE } from '../grammar/common-options.ts';

export const MAKE_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'make',
    group: 'Pre-pulled images',
    summary: 'Make pre-pulled images for VMs: no pull, no root, no daemon',
    details: [
      'Writes the archive of a complete containers-storage store, as CRI-O, podman and skopeo read it once root has unpacked it on `/`: `xc mkcdrom … images` does. Shared layers are in it once. Equal images give equal bytes.',
      'An image reference (it has a `:` or `@`) is looked for in the local store, a Docker daemon, the private registry and at last its own registry. Other items are overlays: the image that is built from their directory `image`, or from OVL/SUBDIR.',
      '--format=containerd writes the whole /var/lib/containerd instead: content, snapshots and databases, as CRI and `ctr -n k8s.io` read them. --format=containerd-squashfs is the same as one read-only file for all VMs; `containerd.tar` in it is what each VM unpacks for itself.',
      'One file system for all VMs: --format=squashfs is mounted read-only and named in `additionalimagestores`. --format=oci-archive is for `ctr images import`, docker-archive for `docker load` and `kind load image-archive`; --format=k3s is for /var/lib/rancher/k3s/agent/images.',
    ],
    arguments: [
      {
        name: 'ITEM|-',
        many: true,
        help: 'Image references, locations (`images help copy`), OVL or OVL/SUBDIR; `-`: references from standard input',
        complete: 'locations',
      },
    ],
    options: [
      {
        name: 'tar',
        value: 'FILE',
        help: 'What to write, `-` for stdout (default $XCLUSTER_TMP/images.tar); appears when it is whole',
        complete: 'files',
      },
      {
        name: 'images-of',
        value: 'OVL|DIR|FILE',
        many: true,
        help: 'Everything that its manifests use, and the pause image',
        complete: 'overlays',
      },
      ...CHART_VALUES,
      {
        name: 'format',
        value: 'FORMAT',
        values: [
          'tar',
          'squashfs',
          'erofs',
          'containerd',
          'containerd-squashfs',
          'oci-archive',
          'docker-archive',
          'k3s',
        ],
        help: 'What is written: tar (default), squashfs or erofs; containerd or containerd-squashfs; oci-archive, docker-archive or k3s',
      },
      {
        name: 'update',
        help: 'Take layers that FILE has from there; it then holds exactly the images that are named',
      },
      { name: 'list', value: 'FILE', help: 'Instead: list the images in FILE', complete: 'files' },
      {
        name: 'check',
        value: 'FILE',
        help: 'Instead: verify every digest in FILE and every rule of its format',
        complete: 'files',
      },
      {
        name: 'userxattr',
        help: 'Opaque directories for mounts in user namespaces: rootless podman needs it, nodes run as root do not',
      },
      {
        name: 'no-layers',
        help: 'For containerd: without the blobs of layers, which make up half of the file. Run and pull work; push, export, and builds on these images do not',
      },
      {
        name: 'root',
        value: 'DIR',
        help: 'For containerd: its root directory on the VM (default /var/lib/containerd; k3s: /var/lib/rancher/k3s/agent/containerd)',
      },
      PAUSE,
      {
        ...ONE_PLATFORM,
        help: "Which image of an index (default this machine's, else the first that is there); one without an index is taken, and said to be for another",
      },
      { name: 'dry-run', help: 'Print the images and what is to be read' },
      DATA,
      JSON_OUTPUT,
    ],
    status: '0: done, or with --check all is right; 1: failed, or something is wrong.',
    examples: [
      { command: 'images make docker.io/library/alpine:3.20 registry.k8s.io/pause:3.9', help: 'Two images' },
      {
        command: 'images make --images-of=k8s-cni-calico metallb',
        help: 'All that an overlay uses, and one that is built',
      },
      { command: 'images make --format=squashfs --tar=store.squashfs --images-of=.', help: 'One store for all VMs' },
      { command: 'images make --check images.tar', help: 'Is it right?' },
    ],
    load: () => import('../commands/make.ts'),
  },
  {
    name: 'load',
    group: 'Pre-pulled images',
    summary: 'Load images into a cluster that runs: the nodes of kind, or k3s',
    details: [
      'Items are those of `images make`. Each node gets the images for its own platform, and only those that it has not got under this name and digest. The archive is made once, in $TMPDIR; up to four nodes import it at a time. A node that fails does not stop the others.',
      'kind: the nodes are containers of docker, podman or nerdctl ($KIND_EXPERIMENTAL_PROVIDER names one). k3s: where it runs, its containerd gets the images; where it does not run, archives are put into its directory agent/images, which it imports when it starts. That needs root.',
    ],
    arguments: [
      {
        name: 'ITEM|-',
        many: true,
        help: 'Image references, locations (`images help copy`), OVL or OVL/SUBDIR; `-`: references from standard input',
        complete: 'locations',
      },
    ],
    options: [
      { name: 'kind', value: 'NAME', valueOptional: true, help: 'The kind cluster (default, also of the name: kind)' },
      {
        name: 'k3s',
        value: 'DIR',
        valueOptional: true,
        help: 'The k3s of this machine; DIR: put archives into the directory that it was started with (--data-dir), and do not ask it',
        complete: 'directories',
      },
      {
        name: 'images-of',
        value: 'OVL|DIR|FILE',
        many: true,
        help: 'Everything that its manifests use, and the pause image',
        complete: 'overlays',
      },
      ...CHART_VALUES,
      PAUSE,
      DATA,
      JSON_OUTPUT,
    ],
    status: '0: every node has every image; 1: failed, or a node failed.',
    examples: [
      { command: 'images load team/app:local', help: 'What was built here, on all nodes of the cluster `kind`' },
      { command: 'images load --kind=test --images-of=manifests/', help: 'All that manifests use' },
      { command: 'sudo images load --k3s docker.io/library/alpine:3.20', help: 'Into the k3s of this machine' },
    ],
    load: () => import('../commands/load.ts'),
  },
];

// The command that builds images.
import type { CommandSpec } from '../grammar/command.ts';
import { DATA, JSON_OUTPUT } from '../grammar/common-options.ts';

export const BUILD_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'mkimage',
    group: 'Building images',
    summary: 'Build an image from a `tar` script, without root or daemon',
    details: [
      'DIR/tar is called with `-` and writes a tar archive to its standard output. With DIR/Dockerfile the build context holds that archive as ovl.tar, and --tag names the image. With DIR/manifest.json the archive is the only layer; name, version and command are in that file, and nothing is done where the image is there.',
      'The image is kept in the local store; --upload shows it in the private registry. Steps whose inputs have not changed are not done again. Equal inputs give equal digests: all files that the image adds get one time.',
      'RUN needs user namespaces; `images mkimage` says what is missing.',
    ],
    arguments: [{ name: 'DIR', required: true, help: 'The directory of the image', complete: 'directories' }],
    options: [
      { name: 'tag', value: 'NAME[:TAG]', help: 'What the image is called (a Dockerfile needs it)' },
      {
        name: 'manifest',
        value: 'FILE',
        help: 'The manifest.json (default DIR/manifest.json, where there is no DIR/Dockerfile)',
        complete: 'files',
      },
      { name: 'file', value: 'FILE', help: 'The Dockerfile (default DIR/Dockerfile)', complete: 'files' },
      {
        name: 'context',
        value: 'CTX',
        help: 'A directory whose files COPY and ADD can name too, without what .dockerignore names',
        complete: 'directories',
      },
      { name: 'force', help: 'Build from a manifest.json also where the image is there' },
      { name: 'upload', help: 'Put it into the private registry' },
      { name: 'strip-host', help: 'Accepted: the host is left out of the name in the registry anyway' },
      { name: 'include-host', help: 'The host stays part of the name in the registry' },
      { name: 'docker', help: 'Load it into the running Docker daemon too' },
      {
        name: 'output',
        value: 'LOCATION',
        complete: 'locations',
        many: true,
        help: 'Copy it there too: oci:DIR, docker-archive:FILE, docker://REF … (`images help copy`)',
      },
      { name: 'target', value: 'STAGE', help: 'Build this stage (default: the last one)' },
      {
        name: 'platform',
        value: 'OS/ARCH[/VARIANT]',
        help: "The platform (default this machine's)",
        complete: 'platforms',
      },
      {
        name: 'build-arg',
        value: 'NAME=VALUE',
        many: true,
        help: 'The value of an ARG; NAME alone takes it from the environment',
      },
      { name: 'label', value: 'NAME=VALUE', many: true, help: 'A label of the image' },
      { name: 'secret', value: 'id=NAME,src=FILE|env=VAR', many: true, help: 'What RUN --mount=type=secret gets' },
      {
        name: 'timestamp',
        value: 'SECONDS|keep',
        help: 'The time of the image and of every file that it adds, in seconds since 1970 (default 1980; keep: files keep theirs). $SOURCE_DATE_EPOCH replaces later ones alone',
      },
      { name: 'compression', value: 'gzip|zstd|none[:LEVEL]', help: 'How layers are compressed (default gzip)' },
      { name: 'no-cache', help: 'Do every step' },
      { name: 'pull', help: 'Ask registries again for bases that were fetched before' },
      {
        name: 'ignore-chown-errors',
        help: 'Go on where RUN cannot give a file to another user (for users without subordinate ids)',
      },
      {
        name: 'network',
        value: 'host|none|private',
        help: 'What RUN has: the network of this machine (default), none, or one of its own with a way out (slirp4netns or pasta)',
      },
      { name: 'verify', help: 'Build twice and list what differs' },
      DATA,
      JSON_OUTPUT,
    ],
    status: '0: done; 1: failed, or with --verify: something differs.',
    examples: [
      { command: 'images mkimage --tag=library/metallb:latest --upload ./image', help: 'For a cluster' },
      { command: 'images mkimage --verify --tag=app:1 .', help: 'Is it reproducible?' },
    ],
    load: () => import('../commands/mkimage.ts'),
  },
];

// The commands that look into images.
import type { CommandSpec } from '../grammar/command.ts';
import { DATA, IMAGE, JSON_OUTPUT, ONE_PLATFORM, OUTPUT } from '../grammar/common-options.ts';

const LOOK = 'Looking into images';
const PATH = { name: 'PATH', help: 'A path in the image', complete: 'image-paths' } as const;
const BARE_NAME =
  'A bare name is looked for in the local store, then in a running Docker daemon, then in the private registry.';
const DAEMON_FIRST =
  'A bare name is looked for in a running Docker daemon first, then in the local store and the private registry. No container is created.';

export const LOOK_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'inspect',
    group: LOOK,
    summary: 'Show what an image is: config, layers, sizes, history',
    details: [BARE_NAME],
    arguments: [IMAGE],
    options: [
      { name: 'raw', help: 'What the name points to, a manifest or an index, byte for byte' },
      { name: 'config', help: "The image's configuration, byte for byte" },
      ONE_PLATFORM,
      DATA,
      JSON_OUTPUT,
    ],
    examples: [{ command: 'images inspect docker-archive:app.tar', help: 'An image in a file' }],
    load: () => import('../commands/inspect.ts'),
  },
  {
    name: 'ls',
    group: LOOK,
    summary: 'List files of an image as `ls -l` does',
    details: [
      `${BARE_NAME} Owners are numbers, times are UTC; a \`+\` after the mode stands for extended attributes (--json has them).`,
    ],
    arguments: [IMAGE, PATH],
    options: [
      {
        name: 'layer',
        value: 'LAYER',
        help: 'This layer alone: its number (from 1, the base), ID, digest or their beginning',
      },
      { name: 'recursive', short: 'R', help: 'All below' },
      ONE_PLATFORM,
      DATA,
      JSON_OUTPUT,
    ],
    examples: [
      { command: 'images ls alpine:3.20 /etc', help: 'A directory' },
      { command: 'images ls --layer=2 -R oci:layout:app', help: 'What the second layer brings' },
    ],
    load: () => import('../commands/ls.ts'),
  },
  {
    name: 'cat',
    group: LOOK,
    summary: "Print files of an image's file system",
    details: [
      'Reads layers from the top down, and no further than it takes to know. Symbolic links are followed inside the image.',
    ],
    arguments: [IMAGE, { ...PATH, required: true, many: true }],
    options: [ONE_PLATFORM, DATA],
    examples: [{ command: 'images cat alpine:3.20 /etc/os-release', help: 'One file' }],
    load: () => import('../commands/cat.ts'),
  },
  {
    name: 'diff',
    group: LOOK,
    summary: 'List the files that differ between two images',
    details: [
      '`+` added, `-` removed, `~` changed: type, content, link, device, mode, owner, time, extended attributes. Contents are compared by digest, and only where the images do not share the layer.',
    ],
    arguments: [IMAGE, { ...IMAGE, help: 'The other one' }],
    options: [
      { name: 'ignore-times', help: 'Files that differ in their times alone are alike' },
      ONE_PLATFORM,
      DATA,
      JSON_OUTPUT,
    ],
    status: '0: no differences; 1: some.',
    examples: [{ command: 'images diff app:1.0 app:1.1', help: 'What a new version brings' }],
    load: () => import('../commands/diff.ts'),
  },
  {
    name: 'usage',
    group: LOOK,
    summary: 'Show where the bytes of an image are, and which are wasted',
    details: [
      'By layers and directories. Wasted is what a later layer deletes or replaces: it is fetched and stored, and nobody can read it.',
    ],
    arguments: [IMAGE],
    options: [
      { name: 'depth', value: 'N', help: 'Directories down to this depth (default 2)' },
      { name: 'top', value: 'N', help: 'So many directories and wasted files (default 15; --json: all)' },
      ONE_PLATFORM,
      DATA,
      JSON_OUTPUT,
    ],
    load: () => import('../commands/usage.ts'),
  },
  {
    name: 'why',
    group: LOOK,
    summary: 'Tell which layers wrote, changed and deleted a path, and by which instruction',
    arguments: [IMAGE, { ...PATH, required: true }],
    options: [ONE_PLATFORM, DATA, JSON_OUTPUT],
    examples: [{ command: 'images why app:1.1 /etc/passwd', help: 'Who wrote it' }],
    load: () => import('../commands/why.ts'),
  },
  {
    name: 'check',
    group: LOOK,
    summary: 'Check that all parts of an image agree',
    details: [
      'Every digest and size, the diffID of each layer, its archive, the configuration, the history, and the media types. Of an index, every image that is there.',
    ],
    arguments: [IMAGE],
    options: [{ ...ONE_PLATFORM, help: 'Only this image of an index' }, DATA, JSON_OUTPUT],
    status: '0: all is right; 1: something is not.',
    load: () => import('../commands/check.ts'),
  },
  {
    name: 'docker_ls',
    group: LOOK,
    summary: "List the names in an image's file system",
    details: [`As \`tar t\` of a container's export, sorted. ${DAEMON_FIRST}`],
    arguments: [IMAGE],
    options: [ONE_PLATFORM, DATA, JSON_OUTPUT],
    load: () => import('../commands/docker-ls.ts'),
  },
  {
    name: 'docker_ls_layers',
    group: LOOK,
    summary: 'List the names in each layer',
    details: [
      `\`=== Layer; ID\`, then the names of its archive in their order, whiteouts among them; the base first. ${DAEMON_FIRST}`,
    ],
    arguments: [IMAGE],
    options: [ONE_PLATFORM, DATA, JSON_OUTPUT],
    load: () => import('../commands/docker-ls-layers.ts'),
  },
  {
    name: 'docker_export',
    group: LOOK,
    summary: "Write an image's flattened file system as a tar archive",
    details: [
      `Owners, modes, times, links, devices and extended attributes as a container would have them; directories come last. Equal images give equal bytes. ${DAEMON_FIRST}`,
    ],
    arguments: [IMAGE],
    options: [OUTPUT, ONE_PLATFORM, DATA],
    examples: [
      { command: 'images docker_export alpine:3.20 | tar x -C root', help: 'As root, or the owners are yours' },
    ],
    load: () => import('../commands/docker-export.ts'),
  },
  {
    name: 'docker_save_layers',
    group: LOOK,
    summary: 'Write the files of some layers as one tar archive',
    details: [`Whiteouts are in it as they are. ${DAEMON_FIRST}`],
    arguments: [
      IMAGE,
      {
        name: 'LAYER',
        required: true,
        many: true,
        help: 'Its number (from 1, the base), its ID or digest, or their beginning: as docker_ls_layers shows them',
      },
    ],
    options: [OUTPUT, ONE_PLATFORM, DATA],
    load: () => import('../commands/docker-save-layers.ts'),
  },
];

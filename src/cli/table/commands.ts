// The table of commands: the grammar, the help, the completion scripts and docs/commands.md are made from it.
import type { CommandSpec } from '../grammar/command.ts';
import { CHART_VALUES, DATA, DRY_RUN, JSON_OUTPUT, PLATFORM, REFERRERS } from '../grammar/common-options.ts';
import type { OptionSpec } from '../grammar/options.ts';
import { BUILD_COMMAND } from './build-command.ts';
import { LOOK_COMMANDS } from './look-commands.ts';
import { MAKE_COMMAND } from './make-command.ts';
import { PLACE_COMMANDS } from './place-commands.ts';

const OVERLAYS = 'Images of overlays';
const REGISTRY = 'The private registry';
const EMBEDDED = 'The embedded registry';
const PROGRAM = 'The program';

const LISTEN: OptionSpec = {
  name: 'listen',
  value: 'ADDR:PORT',
  many: true,
  help: 'Address to listen on; several are taken (default 127.0.0.1:5000; port 0: a free one)',
};
const NAME: OptionSpec = {
  name: 'name',
  value: 'HOST',
  many: true,
  help: 'Name under which web pages may use the registry, beside addresses, localhost and names to listen on; several are taken',
};
const PAUSE: OptionSpec = {
  name: 'pause',
  value: 'REF',
  help: 'The pause image (default $IMAGES_PAUSE, else what the overlay `crio` says)',
};
const FORCE: OptionSpec = { name: 'force', help: 'Look at everything again, also at what the registry has' };
const KEEP_GOING: OptionSpec = {
  name: 'keep-going',
  help: 'Go on after a failure; list all failures at the end and exit 1',
};
const REFRESH: OptionSpec = {
  name: 'refresh',
  help: 'Also fetch tags that have moved at their source (one HEAD each tells)',
};
const MAYBE_OVERLAYS = {
  name: 'OVL|DIR|FILE|-',
  many: true,
  help: 'Overlays (found through $XCLUSTER or $XCLUSTER_OVLPATH), directories or files; `-`: references or manifests from standard input',
  complete: 'overlays',
} as const;

export const COMMANDS: readonly CommandSpec[] = [
  {
    name: 'getimages',
    group: OVERLAYS,
    summary: 'List the images that overlays use',
    details: [
      'Reads every YAML and JSON file below the directory: workloads, custom resources, ConfigMaps, Helm charts, kustomizations, Compose files. One image a line, sorted, unique, as the files write it.',
      'A file may be a packed chart, or one that stands for its directory: Chart.yaml, kustomization.yaml, compose.yaml.',
      'What cannot be read or resolved is said on stderr.',
    ],
    arguments: [MAYBE_OVERLAYS],
    options: [
      {
        name: 'why',
        help: 'Print where each image stands: file:line, the path in the document, the rule that found it',
      },
      { name: 'maybe', help: 'List what only looks like an image, with the reason, instead' },
      ...CHART_VALUES,
      JSON_OUTPUT,
    ],
    examples: [
      { command: 'images getimages k8s-cni-calico', help: 'The images of an overlay' },
      { command: 'images getimages --why ./manifests', help: 'And where each of them stands' },
      { command: 'images getimages --values=prod.yaml chart-1.0.0.tgz', help: 'Of a chart, with values' },
    ],
    load: () => import('../commands/getimages.ts'),
  },
  {
    name: 'lreg_preload',
    group: OVERLAYS,
    summary: 'Cache the images of overlays in the private registry',
    details: [
      'Finds the images, leaves out those that the registry has and tags that begin with `local`, adds the pause image, and fetches the rest: each blob once, several at a time. Without arguments: the pause image alone.',
      'Ctrl-C breaks nothing: the next run goes on where this one stopped.',
    ],
    arguments: [MAYBE_OVERLAYS],
    options: [
      FORCE,
      KEEP_GOING,
      REFRESH,
      {
        name: 'maybe',
        help: 'Also what only looks like an image: one HEAD each tells whether it is one, or one GET where that finds nothing',
      },
      ...CHART_VALUES,
      DRY_RUN,
      PLATFORM,
      REFERRERS,
      PAUSE,
      DATA,
      JSON_OUTPUT,
    ],
    examples: [
      { command: 'images lreg_preload k8s-cni-calico', help: "Cache an overlay's images" },
      { command: 'images lreg_preload --dry-run .', help: 'See what that would cost' },
      { command: 'kubeadm config images list | images lreg_preload -', help: 'Cache a list of images' },
    ],
    load: () => import('../commands/lreg-preload.ts'),
  },
  {
    name: 'lreg_missingimages',
    group: OVERLAYS,
    summary: 'List the images of overlays that the private registry lacks',
    details: ['Fully qualified, one a line, the pause image among them.'],
    arguments: [MAYBE_OVERLAYS],
    options: [PAUSE, ...CHART_VALUES, DATA, JSON_OUTPUT],
    status: '0: none is missing; 1: at least one is.',
    examples: [{ command: 'images lreg_missingimages metallb multus', help: 'What two overlays lack' }],
    load: () => import('../commands/lreg-missingimages.ts'),
  },
  {
    name: 'lreg_cache',
    group: REGISTRY,
    summary: 'Copy images from their registries to the private registry',
    details: ['The host is left out of the name: docker.io/library/alpine:3.20 becomes library/alpine:3.20.'],
    arguments: [
      {
        name: 'IMAGE|-',
        required: true,
        many: true,
        help: 'References, also by digest; `-`: those, or manifests, from standard input',
      },
    ],
    options: [
      FORCE,
      { name: 'refresh', help: 'Accepted as for lreg_preload: tags that have moved are fetched anyway' },
      DRY_RUN,
      KEEP_GOING,
      PLATFORM,
      REFERRERS,
      DATA,
      JSON_OUTPUT,
    ],
    examples: [{ command: 'images lreg_cache docker.io/library/alpine:3.20', help: 'Cache one image' }],
    load: () => import('../commands/lreg-cache.ts'),
  },
  {
    name: 'lreg_ls',
    aliases: ['docker_lsreg'],
    group: REGISTRY,
    summary: 'List what the private registry holds',
    arguments: [],
    options: [
      { name: 'hosts', help: 'Full names, where it is recorded which host an image came from' },
      DATA,
      JSON_OUTPUT,
    ],
    examples: [{ command: 'images lreg_ls', help: 'Names and tags' }],
    load: () => import('../commands/lreg-ls.ts'),
  },
  {
    name: 'lreg_isloaded',
    group: REGISTRY,
    summary: 'Tell whether the private registry holds an image',
    details: [
      'The tag defaults to latest; the host is stripped. An image that is known to come from another host does not count. Prints nothing.',
    ],
    arguments: [{ name: 'IMAGE', required: true, help: 'A reference', complete: 'images' }],
    options: [DATA],
    status: '0: it does; 1: it does not.',
    examples: [
      { command: 'images lreg_isloaded alpine:3.20 || images lreg_cache alpine:3.20', help: 'Cache if needed' },
    ],
    load: () => import('../commands/lreg-isloaded.ts'),
  },
  {
    name: 'lreg_inspect',
    group: REGISTRY,
    summary: 'Show what is known about an image in the private registry',
    details: ['JSON with the keys of `skopeo inspect`.'],
    arguments: [{ name: 'IMAGE', required: true, help: 'A reference', complete: 'images' }],
    options: [
      { name: 'raw', help: 'The manifest or index itself, byte for byte' },
      { name: 'config', help: "The image's configuration itself" },
      { ...PLATFORM, value: 'OS/ARCH[/VARIANT]', help: "Which image of an index to show (default this machine's)" },
      DATA,
      { name: 'json', help: 'Accepted: the output is JSON' },
    ],
    load: () => import('../commands/lreg-inspect.ts'),
  },
  {
    name: 'lreg_rm',
    group: REGISTRY,
    summary: 'Remove an image from the private registry',
    details: [
      'A tag is removed alone, other tags of the same image stay; NAME@DIGEST removes the manifest and all tags that point to it. A name with its host removes what was cached from that host.',
      'What no other name needs goes with it from the embedded registry, also over HTTP: the manifest, the images of an index, their signatures, and what the tag was before. What came by digest alone stays. docker-registry cannot remove a tag alone: its manifest goes, and it is refused where another tag means that or lists it. Of other registries the tag goes, and no more.',
    ],
    arguments: [{ name: 'IMAGE', required: true, many: true, help: 'References', complete: 'images' }],
    options: [DATA, JSON_OUTPUT],
    load: () => import('../commands/lreg-rm.ts'),
  },
  {
    name: 'lreg_ip',
    group: REGISTRY,
    summary: 'Print the address at which VMs reach the private registry',
    details: [
      "A bare IP address, as /etc/hosts takes it: $LOCAL_REGISTRY's, else the running embedded registry's, else that of a Docker container named `registry`. Never a loopback address: where user-space networking maps 192.168.0.250 to it, that one.",
    ],
    arguments: [],
    options: [DATA, { name: 'json', help: 'Print JSON, with the port and the scheme' }],
    load: () => import('../commands/lreg-ip.ts'),
  },
  {
    name: 'lreg_start',
    group: EMBEDDED,
    summary: 'Start the embedded registry in the background',
    details: [
      'Returns when it answers. Prints the address it listens on and the one that VMs can use. VMs that are told that it is docker.io ask port 80.',
    ],
    arguments: [],
    options: [LISTEN, NAME, DATA, JSON_OUTPUT],
    examples: [
      { command: 'images lreg_start', help: 'On 127.0.0.1:5000' },
      { command: 'images lreg_start --listen=0.0.0.0:80', help: 'For VMs' },
    ],
    load: () => import('../commands/lreg-start.ts'),
  },
  {
    name: 'lreg_stop',
    group: EMBEDDED,
    summary: 'Stop the embedded registry',
    arguments: [],
    options: [DATA],
    load: () => import('../commands/lreg-stop.ts'),
  },
  {
    name: 'lreg_status',
    group: EMBEDDED,
    summary: 'Tell whether and where the embedded registry runs',
    details: ['And whether pulls and pushes work, and what it holds: images, blobs, bytes.'],
    arguments: [],
    options: [DATA, JSON_OUTPUT],
    status: '0: it runs; 1: it does not.',
    load: () => import('../commands/lreg-status.ts'),
  },
  {
    name: 'serve',
    group: EMBEDDED,
    summary: 'Run the embedded registry in the foreground',
    details: [
      'Ends within a second of SIGINT or SIGTERM: requests that are under way have half of it. `/healthz` says whether pulls and pushes work.',
    ],
    arguments: [],
    options: [LISTEN, NAME, DATA, { name: 'ready-fd', value: 'N', help: 'Where to say that it answers', hidden: true }],
    load: () => import('../commands/serve.ts'),
  },
  ...PLACE_COMMANDS,
  ...LOOK_COMMANDS,
  BUILD_COMMAND,
  MAKE_COMMAND,
  {
    name: 'completion',
    group: PROGRAM,
    summary: 'Print the completion script of a shell',
    arguments: [{ name: 'bash|zsh|fish', required: true, help: 'The shell' }],
    options: [],
    examples: [{ command: 'eval "$(images completion bash)"', help: 'In ~/.bashrc' }],
    load: () => import('../commands/completion.ts'),
  },
  {
    name: 'help',
    group: PROGRAM,
    summary: 'Show the help, or that of a command',
    arguments: [
      {
        name: 'CMD|errors|CODE',
        help: 'A command; `errors`: the codes of errors, with what causes and mends them; one of these codes',
        complete: 'commands',
      },
    ],
    options: [],
    load: () => import('../commands/help.ts'),
  },
  {
    name: 'version',
    group: PROGRAM,
    summary: 'Print the version',
    arguments: [],
    options: [JSON_OUTPUT],
    load: () => import('../commands/version.ts'),
  },
  {
    name: '__complete',
    group: PROGRAM,
    summary: 'Print what can stand at the end of a command line',
    arguments: [{ name: 'WORD', many: true, help: 'The command line so far' }],
    options: [],
    hidden: true,
    load: () => import('../commands/complete.ts'),
  },
];

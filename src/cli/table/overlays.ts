// The commands that find the images of overlays.
import type { CommandSpec } from '../grammar/command.ts';
import {
  CHART_VALUES,
  DATA,
  DRY_RUN,
  FORCE,
  JSON_OUTPUT,
  KEEP_GOING,
  PAUSE,
  PLATFORM,
  REFERRERS,
} from '../grammar/common-options.ts';
import type { OptionSpec } from '../grammar/options.ts';

const OVERLAYS = 'Images of overlays';
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

export const OVERLAY_COMMANDS: readonly CommandSpec[] = [
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
      '`-` alone goes on where a host fails.',
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
    details: [
      'Fully qualified, one a line, the pause image among them. With --boot-set, also images of which a manifest or a blob is missing; stderr says which, and what the set takes.',
    ],
    arguments: [MAYBE_OVERLAYS],
    options: [
      {
        name: 'boot-set',
        value: 'OS/ARCH[/VARIANT][,…]|all',
        valueOptional: true,
        complete: 'platforms',
        help: "Prove that nodes of these platforms (default this machine's) can pull every image offline: look at all manifests and blobs",
      },
      PAUSE,
      ...CHART_VALUES,
      DATA,
      JSON_OUTPUT,
    ],
    status: '0: none is missing; 1: at least one is.',
    examples: [
      { command: 'images lreg_missingimages metallb multus', help: 'What two overlays lack' },
      { command: 'images lreg_missingimages --boot-set=linux/arm64 .', help: 'Whether arm64 nodes can boot offline' },
    ],
    load: () => import('../commands/lreg-missingimages.ts'),
  },
];

// The commands of the private registry, embedded or not.
import type { CommandSpec } from '../grammar/command.ts';
import {
  CONFIG,
  DATA,
  DRY_RUN,
  FORCE,
  JSON_OUTPUT,
  KEEP_GOING,
  PLATFORM,
  REFERRERS,
} from '../grammar/common-options.ts';

const REGISTRY = 'The private registry';

export const REGISTRY_COMMANDS: readonly CommandSpec[] = [
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
    details: [
      '--json: also how often each tag was pulled, and when last, where the embedded registry has recorded it.',
    ],
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
    details: [
      'JSON with the keys of `skopeo inspect`; and `Pulls`, how often it was pulled, if the embedded registry has recorded it.',
    ],
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
    name: 'lreg_du',
    group: REGISTRY,
    summary: 'Show how much space images take in the embedded registry',
    details: [
      'For each repository and image: its size; its own bytes, which go if only it goes; the shared ones, which something else needs as well; and what is reclaimable beyond that, because the tag was moved and garbage collection takes what it was before. Then the sums of the whole store.',
    ],
    arguments: [
      {
        name: 'NAME',
        many: true,
        help: 'REPOSITORY or REPOSITORY:TAG; * stands for anything but /, ** also for that (default: all)',
        complete: 'images',
      },
    ],
    options: [
      { name: 'history', help: 'The space that was used, day by day, as the running registry notes it' },
      DATA,
      JSON_OUTPUT,
    ],
    examples: [{ command: "images lreg_du 'team/**'", help: 'What a team takes' }],
    load: () => import('../commands/lreg-du.ts'),
  },
  {
    name: 'lreg_rm',
    group: REGISTRY,
    summary: 'Remove an image from the private registry',
    details: [
      'Of patterns it shows what goes, and asks; where nobody can be asked, --yes is needed. Names alone are removed as they are given.',
      'A tag is removed alone, other tags of the same image stay; NAME@DIGEST removes the manifest and all tags that point to it. A name with its host removes what was cached from that host.',
      'What no other name needs goes with it from the embedded registry, also over HTTP: the manifest, the images of an index, their signatures, and what the tag was before. What came by digest alone stays. docker-registry cannot remove a tag alone: its manifest goes, and it is refused where another tag means that or lists it. Of other registries the tag goes, and no more.',
    ],
    arguments: [
      {
        name: 'IMAGE',
        required: true,
        many: true,
        help: 'References; or patterns of repositories and tags, in quotes: * stands for anything but /, ** also for that, ? for one character',
        complete: 'images',
      },
    ],
    options: [
      {
        name: 'older-than',
        value: 'AGE',
        help: 'Only what was neither pushed nor pulled for so long: 30d, 12h; without a record its age is that of the tag',
      },
      { name: 'dry-run', help: 'Print what would be removed' },
      { name: 'force', help: 'Also what is pinned' },
      { name: 'yes', help: 'Remove what patterns match without asking' },
      DATA,
      JSON_OUTPUT,
    ],
    examples: [
      {
        command: "images lreg_rm 'ci/**:pr-*' --older-than=30d",
        help: 'Remove what nobody wanted for a month, after asking',
      },
    ],
    load: () => import('../commands/lreg-rm.ts'),
  },
  {
    name: 'lreg_gc',
    group: REGISTRY,
    summary: 'Free the space of what nothing in the embedded registry names',
    details: [
      'Manifests go that had a tag and lost it, when it was moved or deleted, some time ago; then layers and configurations that no manifest names. What was pushed or asked for by its digest stays, so do the images of an index, signatures of what stays, and images that were built here. Results of build steps go after two weeks without use.',
      'The registry may run, and others may push, pull, copy and build meanwhile. What was pushed or used within the last day stays, whatever names it. Ctrl-C ends it at any time; nothing is lost. A running registry does this by itself once a day (`serve --gc`).',
      'Other registries are not collected: docker-registry has `registry garbage-collect`.',
    ],
    arguments: [],
    options: [
      { name: 'dry-run', help: 'Delete nothing, and print what would go' },
      { name: 'keep-untagged', help: 'Keep manifests that lost their tags' },
      { name: 'no-retention', help: 'Keep all tags, whatever registry.toml says' },
      CONFIG,
      {
        name: 'older-than',
        value: 'AGE',
        help: 'How long ago a manifest has lost its last tag to go (default 7d; 12h, 1d12h, 0)',
      },
      DATA,
      JSON_OUTPUT,
    ],
    examples: [
      { command: 'images lreg_gc --dry-run', help: 'What would go' },
      { command: 'images lreg_gc --older-than=0', help: 'Also what lost its tag just now' },
    ],
    load: () => import('../commands/lreg-gc.ts'),
  },
  {
    name: 'lreg_pin',
    group: REGISTRY,
    summary: 'Keep images of the embedded registry from being removed, or list such images',
    details: [
      'NAME:TAG pins the tag, whatever image it is; NAME@DIGEST pins the manifest, with or without a tag. Neither retention nor collection removes what is pinned, and `lreg_rm` only with --force. Without IMAGE, what is pinned is listed.',
    ],
    arguments: [{ name: 'IMAGE', many: true, help: 'References', complete: 'images' }],
    options: [DATA, JSON_OUTPUT],
    examples: [{ command: 'images lreg_pin library/alpine:3.20', help: 'Keep this tag' }],
    load: () => import('../commands/lreg-pin.ts'),
  },
  {
    name: 'lreg_unpin',
    group: REGISTRY,
    summary: 'Let pinned images of the embedded registry be removed again',
    arguments: [{ name: 'IMAGE', required: true, many: true, help: 'References', complete: 'images' }],
    options: [DATA, JSON_OUTPUT],
    load: () => import('../commands/lreg-unpin.ts'),
  },
  {
    name: 'lreg_missed',
    group: REGISTRY,
    summary: 'List what was asked of the embedded registry and was not there',
    details: [
      'One reference a line, that which was asked for last at the end: `images lreg_missed | images lreg_preload -` fetches those that there are. --json also has when, how often and from where. A running registry writes it once a minute; the last 1,000 are remembered.',
    ],
    arguments: [],
    options: [{ name: 'clear', help: 'Forget them' }, DATA, JSON_OUTPUT],
    examples: [{ command: 'images lreg_missed | images lreg_preload -', help: 'Fetch what nodes did not get' }],
    load: () => import('../commands/lreg-missed.ts'),
  },
  {
    name: 'lreg_check',
    group: REGISTRY,
    summary: "Verify the embedded registry's store, and mend it",
    details: [
      'Hashes every blob, and looks at all links, tags, manifests and records. What is damaged is served no more from then on. With images, only what they consist of is looked at.',
      'The registry may run, and others may push, pull and build meanwhile. Ctrl-C ends it at any time: the next check goes on there. A running registry does the same by itself once a week (`serve --scrub`).',
    ],
    arguments: [{ name: 'IMAGE', many: true, help: 'References; all images if there are none', complete: 'images' }],
    options: [
      { name: 'repair', help: 'Fetch what is damaged from where it came, write links anew, remove what leads nowhere' },
      { name: 'rate', value: 'SIZE', help: 'Read so many bytes a second at most (20MB, 100MiB)' },
      { name: 'restart', help: 'Begin anew, although an earlier check was interrupted' },
      DATA,
      JSON_OUTPUT,
    ],
    status: '0: all images are whole; 1: some are not.',
    examples: [
      { command: 'images lreg_check --rate=50MB', help: 'While others work' },
      { command: 'images lreg_check --repair', help: 'Mend what can be mended' },
    ],
    load: () => import('../commands/lreg-check.ts'),
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
];

// The commands that copy images from one location to another.
import { ALL_TRANSPORTS, type CommandSpec } from '../grammar/command.ts';
import { DATA, DRY_RUN, IMAGE, JSON_OUTPUT, ONE_PLATFORM, PLATFORM, REFERRERS } from '../grammar/common-options.ts';
import type { OptionSpec } from '../grammar/options.ts';

const COPY = 'Moving images';
const COMPRESSION: OptionSpec = {
  name: 'compression',
  value: 'gzip|zstd|none[:LEVEL]',
  help: 'How layers are compressed that are not (of a Docker daemon, a docker-archive, a store), where they go to a registry or a layout (default gzip, quickly)',
};
const FORCE: OptionSpec = { name: 'force', help: 'Look at everything again, also at what the destination has' };

export const COPY_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'copy',
    group: COPY,
    summary: 'Copy an image from any location to any other',
    details: [
      `Locations: ${ALL_TRANSPORTS}, or a bare name: as source the local store, the Docker daemon or the private registry, as destination the private registry.`,
      'A layout or an archive that exists keeps its other images; an archive of another form, or one that is damaged, is left as it is, with an error. What a transport cannot hold (several platforms or artifacts in a docker-archive or a Docker daemon) is refused before anything is written.',
      'Digests stay as they are wherever the destination can hold them. A registry that takes only whole indexes gets the one image under the tag, or an index of the platforms that were asked for, with a note.',
      'An image whose config and manifest disagree is not copied: no runtime takes it. One without an index that is for none of the platforms that --platform names is an error; without --platform it is copied, with a note.',
      'Ctrl-C breaks nothing: the next run goes on where this one stopped.',
    ],
    arguments: [
      { ...IMAGE, name: 'SRC', help: 'Where the image is' },
      { ...IMAGE, name: 'DST', help: 'Where it is to be' },
    ],
    options: [PLATFORM, REFERRERS, COMPRESSION, FORCE, DRY_RUN, DATA, JSON_OUTPUT],
    examples: [
      { command: 'images copy docker-daemon:app:1.0 docker://registry.local/app:1.0', help: 'Without docker push' },
      {
        command: 'images copy --platform=all docker://quay.io/x/y:1 oci-archive:y.tar:1',
        help: 'For an air-gapped cluster',
      },
    ],
    load: () => import('../commands/copy.ts'),
  },
  {
    name: 'lreg_upload',
    group: COPY,
    summary: 'Copy a local image, or all of an archive, to the private registry',
    details: [
      'From the Docker daemon, the local store or any other location (`images help copy`). The host is left out of the name, and recorded beside it.',
      'An archive or a layout of which no image is named (oci-archive:FILE, docker-archive:FILE, oci:DIR) gives all of its images, each under its own names; so does what docker_save wrote (docker-archive:FILE). One that has no name is uploaded by itself, with --tag.',
    ],
    arguments: [IMAGE],
    options: [
      { name: 'include-host', help: 'The host stays part of the name' },
      { name: 'strip-host', help: 'Accepted: it is what is done anyway' },
      { name: 'tag', value: 'REF', help: 'What it is called in the registry (default: its own name)' },
      PLATFORM,
      REFERRERS,
      COMPRESSION,
      FORCE,
      DRY_RUN,
      DATA,
      JSON_OUTPUT,
    ],
    examples: [
      { command: 'images lreg_upload registry.local/app:1.0', help: 'As app:1.0' },
      {
        command: 'images lreg_upload oci-archive:images-oci.tar',
        help: 'All that `images make --format=oci-archive` wrote',
      },
    ],
    load: () => import('../commands/lreg-upload.ts'),
  },
  {
    name: 'docker_save',
    group: COPY,
    summary: 'Write images to one tar archive, each as a docker-archive of its own',
    details: [
      'The archive of an image is called by its full name: docker.io/library/alpine:3.20. A bare name is looked for in a running Docker daemon first, then in the local store and the private registry.',
    ],
    arguments: [{ ...IMAGE, many: true }],
    options: [
      { name: 'output', value: 'FILE', help: 'Where to; -: stdout. Needed', complete: 'files' },
      ONE_PLATFORM,
      DATA,
    ],
    examples: [{ command: 'images docker_save --output=images.tar alpine:3.20 app:1.0', help: 'Two images' }],
    load: () => import('../commands/docker-save.ts'),
  },
  {
    name: 'docker_flush',
    group: COPY,
    summary: 'Remove ALL containers and images of the Docker daemon',
    arguments: [],
    options: [{ name: 'really', help: 'Needed' }, JSON_OUTPUT],
    load: () => import('../commands/docker-flush.ts'),
  },
];

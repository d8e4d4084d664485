// Options that several commands share.
import type { ArgumentSpec } from './command.ts';
import type { OptionSpec } from './options.ts';

export const DATA: OptionSpec = {
  name: 'data',
  value: 'DIR',
  help: "The embedded registry's data directory (default $IMAGES_DATA, else the one started last, else $XDG_DATA_HOME/images)",
  complete: 'directories',
};
export const CONFIG: OptionSpec = {
  name: 'config',
  value: 'FILE',
  help: 'The configuration of the registry: all options of `serve`, rules, quota (default registry.toml in the data directory)',
  complete: 'files',
};
export const JSON_OUTPUT: OptionSpec = { name: 'json', help: 'Print JSON' };
export const PLATFORM: OptionSpec = {
  name: 'platform',
  value: 'OS/ARCH[/VARIANT][,…]|all',
  complete: 'platforms',
  help: "Platforms to copy of a multi-platform image (default this machine's), for one of which an image without an index has to be; fetched as well for images that are there without them",
};
export const REFERRERS: OptionSpec = { name: 'referrers', help: 'Copy signatures, SBOMs and other referrers too' };
export const DRY_RUN: OptionSpec = {
  name: 'dry-run',
  help: 'Print what would be fetched: images, requests, bytes to fetch, bytes already there or expected to be mounted',
};
export const ONE_PLATFORM: OptionSpec = {
  name: 'platform',
  value: 'OS/ARCH[/VARIANT]',
  complete: 'platforms',
  help: "Which image of an index (default this machine's, else the first that is there); one without an index has to be for it",
};
export const OUTPUT: OptionSpec = {
  name: 'output',
  value: 'FILE',
  help: 'Write to FILE, which appears when it is whole (default -: stdout)',
  complete: 'files',
};
export const IMAGE: ArgumentSpec = {
  name: 'IMAGE',
  required: true,
  help: 'A name, or a location: docker://…, oci:…, docker-archive:… (`images help copy`)',
  complete: 'locations',
};
export const FORCE: OptionSpec = { name: 'force', help: 'Look at everything again, also at what the registry has' };
export const KEEP_GOING: OptionSpec = {
  name: 'keep-going',
  help: 'Go on after a failure; list all failures at the end and exit 1',
};
export const PAUSE: OptionSpec = {
  name: 'pause',
  value: 'REF',
  help: 'The pause image (default $IMAGES_PAUSE, else what the overlay `crio` says)',
};
/** As in `helm install`. */
export const CHART_VALUES: readonly OptionSpec[] = [
  {
    name: 'values',
    short: 'f',
    value: 'FILE',
    many: true,
    help: 'Values for the charts among what is named, over their own; the last FILE counts most',
    complete: 'files',
  },
  {
    name: 'set',
    value: 'NAME=VALUE[,…]',
    many: true,
    help: 'Single values for the charts, over those of files: `image.tag=1.2`, `list={a,b}`',
  },
  { name: 'set-string', value: 'NAME=VALUE[,…]', many: true, help: 'The same; every value is a text' },
];

// What the name of a field, variable or flag tells about its value: `queue-sidecar-image`, `RELATED_IMAGE_X`, `proxyImage`, `imagePullPolicy`.

/** `yes`: the value is an image. `perhaps`: the name contains the word, and the value decides. `other`: an image of another kind (disk, picture). */
export type ImageKey = 'yes' | 'perhaps' | 'other' | 'no';

/** Words after "image" with which the name still means an image. */
const SAME_THING: ReadonlySet<string> = new Set([
  'name',
  'ref',
  'reference',
  'url',
  'uri',
  'full',
  'fullname',
  'override',
]);
/** Words after "image" with which the name means a part of an image or a setting. */
const PART_OR_SETTING: ReadonlySet<string> = new Set(
  `pull policy policies secret secrets tag tags registry registries repository repositories repo repos version versions
   prefix suffix size dir directory type format timeout interval arch architecture id ids digest digests sha hash namespace hub host path
   count gc cache age percent threshold limit limits key user username password project org organization group location volume stream
   streams selector content contents service updater review manifest layer layers`.split(/\s+/),
);
/** Words before "image" that make it another kind of image. */
const OTHER_KINDS: ReadonlySet<string> = new Set(
  `os vm disk boot logo icon background machine cover hero thumbnail profile avatar kernel initrd iso qcow raw ami cloud snapshot
   recovery favicon banner cluster preview featured social og meta`.split(/\s+/),
);

/** Cache of answers: thousands of files contain the same few names. */
const answers = new Map<string, ImageKey>();
const MAX_ANSWERS = 10_000;

export function imageKey(name: string): ImageKey {
  const known = answers.get(name);
  if (known) return known;
  const answer = /image/i.test(name) ? weigh(name) : 'no';
  if (answers.size >= MAX_ANSWERS) answers.clear();
  answers.set(name, answer);
  return answer;
}

function weigh(name: string): ImageKey {
  const words = wordsOf(name);
  if (words[0] === 'related' && words[1] === 'image') return 'yes';
  const at = words.findLastIndex((word) => word === 'image' || word === 'images');
  if (at < 0) return /images?$/.test(words.at(-1) ?? '') && !/^un|magic/.test(words.at(-1) ?? '') ? 'perhaps' : 'no';
  const after = words.slice(at + 1);
  if (after.some((word) => PART_OR_SETTING.has(word))) return 'no';
  if (words.slice(0, at).some((word) => OTHER_KINDS.has(word))) return 'other';
  return after.every((word) => SAME_THING.has(word)) ? 'yes' : 'perhaps';
}

/** Whether the entries of this list are images: `images`, `relatedImages`, `extra_images`. */
export function isImageList(name: string | undefined): boolean {
  return name !== undefined && /images$/i.test(name) && wordsOf(name).at(-1) === 'images';
}

/** Splits a name into lower-case words: `fooBarBaz`, `foo-bar_baz`, `FOO_BAR.baz` → foo, bar, baz. */
export function wordsOf(name: string): readonly string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/(?<=[A-Z])(?=[A-Z][a-z])/g, ' ')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
}

// The tag in a field beside the image: `image` and `imageTag`, or `proxyImage` and `proxyImageTag` or `proxyTag`.
import { type Fields, scalarOf } from './fields.ts';

/** Returns `undefined` if there is no tag, or an empty one. */
export function tagBeside(fields: Fields, key: string): string | undefined {
  const stem = key.replace(/[-_]?(?:image|Image|IMAGE)(?:[-_]?[nN]ame)?$/, '');
  const names = [`${key}Tag`, `${key}_tag`, `${key}-tag`, `${key}Version`, `${key}_version`];
  const short =
    stem === ''
      ? OF_THE_ONLY_IMAGE
      : ['Tag', '_tag', '-tag', 'ImageTag', '_image_tag', '-image-tag'].map((end) => stem + end);
  for (const name of [...names, ...short, ...(isNothingElse(fields, key) ? ['version'] : [])]) {
    const tag = scalarOf(fields, name);
    if (tag !== undefined && tag.trim() !== '') return tag.trim();
  }
  return undefined;
}

/** Whether the map only describes an image, `{image: quay.io/x/y, version: v1}`. If it has other fields, the version may not be that of the image. */
function isNothingElse(fields: Fields, key: string): boolean {
  return Object.keys(fields).every((name) => name === key || name === 'version' || /pull/i.test(name));
}

const OF_THE_ONLY_IMAGE: readonly string[] = [
  'imageTag',
  'image_tag',
  'image-tag',
  'imageVersion',
  'image_version',
  'tag',
  'defaultImageVersion',
];

// References in parts: {registry, repository, name, tag, version, digest} in values and custom resources, and the siblings `image` + `imageTag`.
import { tryParseReference } from '../../oci/reference.ts';
import type { Finding, ListedRule, ScannedDocument } from '../contract.ts';
import { asFields, type Fields, scalarOf, textOf } from '../fields.ts';
import { maybe, used } from '../findings.ts';
import { judgeImageWithCare } from '../image-text.ts';
import { joinParts, type ReferenceParts } from '../join-parts.ts';
import { imageKey, isImageList } from '../key-names.ts';
import { nameOf, pathOf } from '../path.ts';
import { tagBeside } from '../tag-beside.ts';
import { isVersioned, verdictOn, whyNotRun } from '../verdict.ts';
import { mayMention, type Visit, visitsOf } from '../walk.ts';

const RULE = 'split-fields';
const REGISTRY = ['registry', 'imageRegistry', 'image_registry', 'registryUrl', 'hub'];
const REPOSITORY = ['repository', 'imageRepository', 'imageRepo', 'image_repository', 'image_repo', 'repo'];
const NAME = ['image', 'imageName', 'image_name', 'newName', 'name', 'baseImage'];
const TAG = [
  'tag',
  'imageTag',
  'image_tag',
  'newTag',
  'version',
  'imageVersion',
  'image_version',
  'defaultImageVersion',
];
const DIGEST = ['digest', 'imageDigest', 'image_digest', 'sha256', 'sha', 'imageSha'];
/** A map is examined only if it has one of these. The other fields alone have no meaning. */
const SPLIT = [...REGISTRY, ...REPOSITORY, 'newName'];

export const splitFields: ListedRule = {
  name: RULE,
  clue: /image|repo|registry|hub/i,
  sample: 'proxy: {repository: quay.io/a/b, tag: v1}\n',
  matches: (document) => mayMention(document, /image|repo|registry|hub/i),
  *find(document) {
    for (const visit of visitsOf(document)) {
      const fields = asFields(visit.value);
      if (!fields) continue;
      const isSplit = SPLIT.some((key) => Object.hasOwn(fields, key));
      if (isSplit || isUnderImageKey(visit)) yield* findParts(document, visit, fields);
      if (!isSplit) yield* findSiblings(document, visit, fields);
    }
  },
};

function* findParts(document: ScannedDocument, visit: Visit, fields: Fields): Iterable<Finding> {
  const parts = partsOf(fields, isUnderImageKey(visit));
  if (!parts) return;
  const reference = tryParseReference(parts.image);
  if (!reference) return;
  const spot = { document, path: [...pathOf(visit), parts.key], rule: RULE };
  const verdict = verdictOn(reference, { document, object: visit.object, key: 'yes' });
  if (!verdict) return;
  if (verdict.certainty === 'maybe') yield maybe(parts.image, verdict.reason, spot);
  else if (!isVersioned(reference))
    yield maybe(parts.image, 'no tag stands beside it: what reads it fills one in', spot);
  else if (parts.doubt) yield maybe(parts.image, parts.doubt, spot);
  else yield used(parts.image, spot);
}

interface FoundParts extends ReferenceParts {
  readonly image: string;
  readonly key: string;
  readonly doubt?: string;
}

function partsOf(fields: Fields, isUnderImage: boolean): FoundParts | undefined {
  const registry = firstText(fields, REGISTRY);
  const repository = firstText(fields, REPOSITORY);
  const name = firstText(fields, NAME);
  const tag = firstText(fields, TAG);
  const digest = firstText(fields, DIGEST);
  // A map with one of these describes a chart or a source, whatever its key is.
  if (['chart', 'url', 'repoURL', 'ref', 'branch', 'path'].some((key) => Object.hasOwn(fields, key))) return undefined;
  const hasName = name !== undefined && (name.key !== 'name' || repository !== undefined || isUnderImage);
  const isNamed = repository !== undefined || (hasName && (isUnderImage || registry || name.key === 'newName'));
  if (!isNamed || (name?.key === 'image' && isVersionedText(name.text))) return undefined;
  const isVersioned = tag !== undefined || digest !== undefined;
  if (!isVersioned && !(isUnderImage && (repository ?? registry))) return undefined;
  const parts: ReferenceParts = {
    ...(registry && { registry: registry.text }),
    ...(repository && { repository: repository.text }),
    ...(hasName && { name: name.text, isNamePart: name.key !== 'name', isImage: isUnderImage }),
    ...(tag && { tag: tag.text }),
    ...(digest && { digest: digest.text }),
  };
  // `oci://` and `https://` are addresses of charts.
  if (/^(?!docker:)\w+:\/\//.test(parts.repository ?? '')) return undefined;
  const joined = joinParts(parts);
  if (!joined) return undefined;
  const key = (repository ?? name)?.key ?? '';
  // `image: {name: agent, tag: 7}`: an operator adds its own registry.
  const isBare = key === 'name' && registry === undefined && tag?.key !== 'newTag' && !joined.image.includes('/');
  return { ...parts, ...joined, key, ...(isBare && { doubt: 'a bare name can mean something else here' }) };
}

/** `image: quay.io/x/y` beside `imageTag: v1`, or `proxyImage` beside `proxyImageTag` or `proxyTag`. */
function* findSiblings(document: ScannedDocument, visit: Visit, fields: Fields): Iterable<Finding> {
  for (const key of Object.keys(fields)) {
    if (imageKey(key) !== 'yes' || typeof fields[key] !== 'string') continue;
    const judged = judgeImageWithCare(fields[key]);
    if (judged.kind !== 'image' || isVersioned(judged.reference)) continue;
    const tag = tagBeside(fields, key);
    const joined = tag && joinParts({ name: judged.image, isNamePart: true, tag });
    const reference = joined && tryParseReference(joined.image);
    if (!reference || whyNotRun(visit.object)) continue;
    const spot = { document, path: [...pathOf(visit), key], rule: RULE };
    const verdict = verdictOn(reference, { document, object: visit.object, key: 'yes' });
    if (verdict?.certainty === 'used') yield used(joined.image, spot);
    else if (verdict) yield maybe(joined.image, verdict.reason, spot);
  }
}

/** Whether the map is an `image: {…}`, a `proxyImage: {…}`, or an entry of `images:`. */
function isUnderImageKey(visit: Visit): boolean {
  const name = nameOf(visit) ?? '';
  return imageKey(name) === 'yes' || (typeof visit.key === 'string' && isImageList(visit.parent?.key?.toString()));
}

function isVersionedText(text: string): boolean {
  const reference = tryParseReference(text);
  return reference !== undefined && isVersioned(reference);
}

function firstText(
  fields: Fields,
  names: readonly string[],
): { readonly key: string; readonly text: string } | undefined {
  for (const key of names) {
    const text = key === 'tag' || /[tT]ag|[vV]ersion/.test(key) ? scalarOf(fields, key) : textOf(fields, key);
    if (text !== undefined && text.trim() !== '') return { key, text: text.trim() };
  }
  return undefined;
}

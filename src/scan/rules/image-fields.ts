// Fields with a complete reference: `image`, `proxyImage`, `images: […]`, ConfigMap keys, and any field whose text can only be a reference.
import type { Reference } from '../../oci/reference.ts';
import type { Finding, ListedRule, ScannedDocument, Warning } from '../contract.ts';
import { asFields, fieldOf } from '../fields.ts';
import { maybe, type Spot, unresolved, used } from '../findings.ts';
import { judgeImageWithCare } from '../image-text.ts';
import { type ImageKey, imageKey, isImageList } from '../key-names.ts';
import { nameOf, pathOf } from '../path.ts';
import { tagBeside } from '../tag-beside.ts';
import { namedImages } from '../text-images.ts';
import { isSetting, readsLikeImage, UNTAGGED, verdictOn, whyNotRun } from '../verdict.ts';
import { type Visit, visitsOf } from '../walk.ts';
import { isContainer } from './containers.ts';

const RULE = 'image-fields';
/** Names of fields with addresses, whose texts can look like references. */
const ADDRESS =
  /url|uri|endpoint|address|host|server|link|issuer|path|chart|bundle|audience|domain|origin|registry|repo/i;
/** Fields with the address of a model: KServe's, Seldon's, Kubeflow's. */
const MODEL = /^(?:storage|model|source_?model)_?ur[il]s?$/i;
/** Fields with the address of a chart or a bundle of manifests. */
const OTHER_ARTIFACT = /chart|repo|bundle|source|^url$/i;
/** Fields that other rules handle. */
const ELSEWHERE: ReadonlySet<string> = new Set(['annotations', 'env', 'args', 'command']);

/** Beside one of these fields a bare name is the last part of a reference. */
const SPLIT: readonly string[] = ['registry', 'repository', 'repo', 'imageRegistry', 'imageRepository', 'hub'];

export const imageFields: ListedRule = {
  name: RULE,
  clue: /image|oci:|[\w-]\.[a-z]{2,60}(?::\d+)?\/[\w./-]{1,300}[:@]\w/i,
  sample: 'kind: Proxy\nspec: {uses: quay.io/a/b:v1}\n',
  matches: () => true,
  *find(document) {
    for (const visit of visitsOf(document)) {
      if (typeof visit.value === 'string' && visit.key !== undefined && !isElsewhere(visit))
        yield* find(document, visit);
    }
  },
};

function* find(document: ScannedDocument, visit: Visit): Iterable<Finding | Warning> {
  const text = visit.value as string;
  if (text.length > 1000 || text === '') return;
  const key = text.startsWith('docker://') || isModel(text, visit) ? 'yes' : keyOf(visit);
  if (key === 'no' && !/[:@]/.test(text)) return;
  if (key !== 'yes' && text.startsWith('oci://')) yield* artifact(document, visit);
  if (key !== 'yes' && (text.includes('://') || ADDRESS.test(nameOf(visit) ?? ''))) return;
  const judged = judgeImageWithCare(text);
  const spot = { document, path: pathOf(visit), rule: RULE };
  if (judged.kind === 'placeholder' && key === 'yes' && visit.object && isLikeReference(judged.text)) {
    yield unresolved(judged.text, 'the image is a placeholder', spot);
  }
  if (judged.kind !== 'image') {
    if (key === 'yes' && /[,;=]/.test(text)) yield* listedImages(visit, spot);
    return;
  }
  if (key !== 'yes' && isChart(judged.reference, visit)) return;
  if (isPartOfReference(judged, visit)) return;
  const verdict = verdictOn(judged.reference, { document, object: visit.object, key });
  if (verdict?.certainty === 'used') yield used(judged.image, spot);
  else if (verdict) yield maybe(judged.image, verdict.reason, spot);
}

/** `storageUri: oci://quay.io/x/model:1`: a model that the kubelet pulls like an image (kserve.github.io, "Modelcars"). */
function isModel(text: string, visit: Visit): boolean {
  if (!text.startsWith('oci://') || !visit.object) return false;
  const name = nameOf(visit) ?? '';
  return (
    visit.object.group === 'serving.kserve.io' || MODEL.test(name) || (name === 'uri' && visit.parent?.key === 'model')
  );
}

/** An `oci://` address with a tag, in a field that is not for a chart or a bundle of manifests. */
function* artifact(document: ScannedDocument, visit: Visit): Iterable<Finding> {
  const judged = judgeImageWithCare(visit.value);
  if (judged.kind !== 'image' || !visit.object || !readsLikeImage(judged.reference)) return;
  if (OTHER_ARTIFACT.test(nameOf(visit) ?? '') || isChart(judged.reference, visit)) return;
  const reason = whyNotRun(visit.object) ?? 'an address in a registry: what is there may be no image';
  yield maybe(judged.image, reason, { document, path: pathOf(visit), rule: RULE });
}

/** The references in a list such as `images: "java=quay.io/x/java:1;node=quay.io/x/node:2"`. */
function* listedImages(visit: Visit, spot: Spot): Iterable<Finding> {
  const notRun = whyNotRun(visit.object);
  for (const { image, isVersioned } of namedImages({ name: nameOf(visit) ?? '', value: visit.value as string })) {
    const doubt = notRun ?? (!isVersioned && isSetting(spot.document, visit.object) ? UNTAGGED : undefined);
    yield doubt === undefined ? used(image, spot) : maybe(image, doubt, spot);
  }
}

/** Registries also store charts: `ociRepository: {ref: ghcr.io/x/charts/y:1}`. */
function isChart({ path }: Reference, visit: Visit): boolean {
  const parent = visit.parent?.key;
  return /(?:^|\/)(?:helm-)?charts\//.test(path) || (typeof parent === 'string' && /chart|ociRepository/i.test(parent));
}

/** Whether the registry, repository or tag is in a field beside or above. Other rules join such parts. */
function isPartOfReference(judged: { readonly image: string; readonly reference: Reference }, visit: Visit): boolean {
  const { tag, digest } = judged.reference;
  const fields = asFields(visit.parent?.value);
  if (fields === undefined || tag !== undefined || digest !== undefined) return false;
  if (typeof visit.key === 'string' && imageKey(visit.key) === 'yes' && tagBeside(fields, visit.key)) return true;
  if (/[/:@]/.test(judged.image)) return false;
  return SPLIT.some((name) => Object.hasOwn(fields, name)) || fieldOf(visit.parent?.parent?.value, 'hub') !== undefined;
}

/** An entry of `images:`, a list or a map, is an image. In OpenShift, `kind: DockerImage` says that `name` is an image. */
function keyOf(visit: Visit): ImageKey {
  const name = nameOf(visit) ?? '';
  if (visit.key === 'name' && fieldOf(visit.parent?.value, 'kind') === 'DockerImage') return 'yes';
  if (visit.key === 'package' && visit.object?.group === 'pkg.crossplane.io') return 'yes';
  if (visit.key === 'url' && visit.object?.kind === 'WasmPlugin') return 'yes';
  if (visit.key === 'name' && typeof visit.parent?.key === 'number' && isImageList(nameOf(visit.parent))) {
    const isOnlyName = ['image', 'newName', 'newTag', 'tag'].every(
      (key) => fieldOf(visit.parent?.value, key) === undefined,
    );
    return isOnlyName ? 'perhaps' : 'no';
  }
  if (typeof visit.key === 'number') return isImageList(name) ? 'yes' : imageKey(name);
  if (isImageList(visit.parent?.key?.toString()) && typeof visit.key === 'string') return 'perhaps';
  return imageKey(name);
}

/** False for a single parameter, `${IMAGE}` or `$(params.image)`: its value usually comes from the same file. */
function isLikeReference(text: string): boolean {
  return !/^\$[({][\w.-]+[)}]$/.test(text);
}

function isElsewhere(visit: Visit): boolean {
  if (visit.key === 'image' && isContainer(visit.parent)) return true;
  const isEntry = (visit.key === 'value' || visit.key === 'default') && typeof visit.parent?.key === 'number';
  if (isEntry && fieldOf(visit.parent?.value, 'name') !== undefined) return true;
  for (let at = visit.parent, steps = 0; at && steps < 3; at = at.parent, steps++) {
    if (typeof at.key === 'string' && ELSEWHERE.has(at.key)) return at.key === 'annotations' || Array.isArray(at.value);
  }
  return false;
}

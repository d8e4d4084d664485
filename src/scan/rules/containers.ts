// Containers of pod specs, anywhere: in workloads, in lists of them, and in custom resources with a pod or a container.
// Format: kubernetes.io/docs/reference/generated/kubernetes-api, Container; Tekton's steps and Argo's templates have the same shape.
import type { Finding, ListedRule, ScannedDocument, Warning } from '../contract.ts';
import { asFields } from '../fields.ts';
import { maybe, unresolved, used } from '../findings.ts';
import { judgeImage } from '../image-text.ts';
import { pathOf } from '../path.ts';
import { whyNotRun } from '../verdict.ts';
import { mayMention, type Visit, visitsOf } from '../walk.ts';

const RULE = 'containers';
/** Lists whose entries are containers. */
const CONTAINER_LISTS: ReadonlySet<string> = new Set([
  'containers',
  'initContainers',
  'ephemeralContainers',
  'sidecars',
  'initContainer',
  'sidecarContainers',
  'extraContainers',
  'additionalContainers',
  'extraInitContainers',
  'steps',
]);
/** Keys of single containers: Argo's templates, Tekton's defaults for steps. */
const CONTAINERS: ReadonlySet<string> = new Set(['container', 'script', 'stepTemplate']);
/** Fields that occur beside `image` only in a container. */
const CONTAINER_FIELDS: readonly string[] = [
  'imagePullPolicy',
  'volumeMounts',
  'securityContext',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'terminationMessagePath',
  'envFrom',
];

export const containers: ListedRule = {
  name: RULE,
  clue: /image/i,
  sample: 'kind: Pod\nspec: {containers: [{name: a, image: alpine}]}\n',
  matches: (document) => mayMention(document, /image|reference/i),
  *find(document) {
    for (const visit of visitsOf(document)) {
      if (visit.key === 'image' && isContainer(visit.parent)) yield* containerImage(document, visit);
      else if (visit.key === 'reference' && isImageVolume(visit.parent)) yield* containerImage(document, visit);
    }
  },
};

function* containerImage(document: ScannedDocument, visit: Visit): Iterable<Finding | Warning> {
  const judged = judgeImage(visit.value);
  const spot = { document, path: pathOf(visit), rule: RULE };
  const notRun = whyNotRun(visit.object);
  if (notRun) {
    if (judged.kind === 'image') yield maybe(judged.image, notRun, spot);
  } else if (visit.value === 'auto') {
    yield unresolved('auto', "Istio's injector sets it", spot);
  } else if (judged.kind === 'image') yield used(judged.image, spot);
  else if (judged.kind === 'placeholder') yield unresolved(judged.text, 'the image is a placeholder', spot);
  else if (typeof visit.value === 'string' && visit.value.trim() !== '') {
    yield unresolved(visit.value, 'not an image reference', spot);
  }
}

export function isContainer(visit: Visit | undefined): boolean {
  const fields = asFields(visit?.value);
  if (!visit || !fields) return false;
  const list = typeof visit.key === 'number' ? visit.parent?.key : undefined;
  if (typeof list === 'string' && CONTAINER_LISTS.has(list)) return true;
  if (typeof visit.key === 'string' && CONTAINERS.has(visit.key) && Object.hasOwn(fields, 'command')) return true;
  const isSplit = Object.hasOwn(fields, 'repository') || Object.hasOwn(fields, 'registry');
  return !isSplit && Object.hasOwn(fields, 'name') && CONTAINER_FIELDS.some((name) => Object.hasOwn(fields, name));
}

/** Image volumes: `volumes[].image.reference`. */
function isImageVolume(visit: Visit | undefined): boolean {
  return visit?.key === 'image' && typeof visit.parent?.key === 'number' && visit.parent.parent?.key === 'volumes';
}

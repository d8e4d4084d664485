// How sure a reference is where it stands: the one place that weighs the shape of a text against its surroundings. Relies on image-text.ts.
import type { Reference } from '../oci/reference.ts';
import type { ScannedDocument } from './contract.ts';
import { hasRealHost, isUnmistakable } from './image-text.ts';
import type { ImageKey } from './key-names.ts';
import type { KubernetesObject } from './walk.ts';

/** `used`, a reason why it is only a maybe, or undefined: no image. */
export type Verdict =
  | { readonly certainty: 'used' }
  | { readonly certainty: 'maybe'; readonly reason: string }
  | undefined;

const USED: Verdict = { certainty: 'used' };

/** Registries that people write without saying that it is one. */
const KNOWN_REGISTRIES =
  /^(?:docker\.io|quay\.io|ghcr\.io|lscr\.io|cgr\.dev|nvcr\.io|k8s\.gcr\.io|gcr\.io|cr\.l5d\.io|mcr\.microsoft\.com|public\.ecr\.aws|docker\.elastic\.co|icr\.io|xpkg\.upbound\.io)$|\.(?:gcr\.io|pkg\.dev|azurecr\.io|amazonaws\.com|redhat\.com|redhat\.io|icr\.io|quay\.io|docker\.com|aliyuncs\.com)$|^(?:registry|docker|images?|cr|harbor|oci|containers?)\d*[.-]/;

/** API groups whose `image` names what is watched, matched or built: it is not what runs. */
const NOT_RUN: Readonly<Record<string, string>> = {
  'image.toolkit.fluxcd.io': 'it is watched for new tags',
  skaffold: 'it is built from sources',
  'kyverno.io': 'it is what a policy matches',
  'templates.gatekeeper.sh': 'it is what a policy matches',
  'constraints.gatekeeper.sh': 'it is what a policy matches',
  'policy.sigstore.dev': 'it is what a policy matches',
  'scorecard.operatorframework.io': 'only run by `operator-sdk scorecard`',
};

/** API groups that describe machines: their images are disks of clouds and hypervisors. */
const MACHINES =
  /^(?:infrastructure\.cluster\.x-k8s\.io|machine\.openshift\.io|metal3\.io|(?:compute|ec2)\..*|.*\.crossplane\.io|.*\.upbound\.io|.*\.cnrm\.cloud\.google\.com|karpenter\..*|kops\.k8s\.io|harvesterhci\.io|multipass.*)$/;

export interface VerdictContext {
  readonly document: ScannedDocument;
  readonly object: KubernetesObject | undefined;
  readonly key: ImageKey;
}

export function verdictOn(reference: Reference, context: VerdictContext): Verdict {
  const verdict = byShape(reference, context);
  if (verdict?.certainty !== 'used') return verdict;
  if (!isVersioned(reference) && isSetting(context.document, context.object))
    return { certainty: 'maybe', reason: UNTAGGED };
  return bySurroundings(context);
}

/** Settings and scripts name patterns, repositories and what a program puts together; an image that is to run has a tag there. */
export const UNTAGGED = 'without a tag it may be a part of a name, or a pattern';

export function isVersioned({ tag, digest }: Reference): boolean {
  return tag !== undefined || digest !== undefined;
}

/** A value of a ConfigMap or a Secret, and of what stands in a text without being an object itself. */
export function isSetting(document: ScannedDocument, object: KubernetesObject | undefined): boolean {
  if (!object) return document.isEmbedded === true;
  return object.group === '' && (object.kind === 'ConfigMap' || object.kind === 'Secret');
}

/** What a policy matches, or a watcher watches. */
export function whyNotRun(object: KubernetesObject | undefined): string | undefined {
  return object && Object.hasOwn(NOT_RUN, object.group) ? NOT_RUN[object.group] : undefined;
}

/** Told from any other text: a registry that is known as one, or a digest. */
export function isSurelyImage(reference: Reference): boolean {
  if (!readsLikeImage(reference)) return false;
  return reference.digest !== undefined || KNOWN_REGISTRIES.test(reference.host ?? '');
}

/** As a reference in any other place would be written; what else it may be, only its surroundings tell. */
export function readsLikeImage(reference: Reference): boolean {
  return isUnmistakable(reference) && !isClusterAddress(reference);
}

function byShape(reference: Reference, { key, object }: VerdictContext): Verdict {
  const hasVersion = isVersioned(reference);
  if (isAddress(reference)) return undefined;
  if (isSurelyImage(reference)) return USED;
  if (object && MACHINES.test(object.group) && !isUnmistakable(reference)) return undefined;
  if (key === 'yes') {
    if (hasVersion || hasRealHost(reference) || reference.path.includes('/')) return USED;
    return { certainty: 'maybe', reason: 'a bare name can mean something else here' };
  }
  if (key === 'perhaps') return hasVersion || hasRealHost(reference) ? USED : undefined;
  if (!readsLikeImage(reference)) return undefined;
  return { certainty: 'maybe', reason: 'it reads like a reference, but nothing around it speaks of images' };
}

function bySurroundings({ document, object }: VerdictContext): Verdict {
  const notRun = whyNotRun(object);
  if (notRun) return { certainty: 'maybe', reason: notRun };
  if (object || document.isEmbedded) return USED;
  return { certainty: 'maybe', reason: 'it does not stand in a Kubernetes object' };
}

/** `localhost:8080`, `12:30`, `10.0.0.1:80`: a port or a time, not a tag. */
function isAddress({ host, path, tag }: Reference): boolean {
  if (host !== undefined || path.includes('/')) return false;
  return /^\d+$/.test(tag ?? '') && /^(?:localhost|\d+(?:\.\d+)*)$/.test(path);
}

/** Services inside a cluster, and the domains that labels and taints begin with. */
function isClusterAddress({ host }: Reference): boolean {
  const name = (host ?? '').replace(/:\d+$/, '');
  if (/^(?:registry|docker|harbor)\b/.test(name)) return false;
  return (
    /\.(?:svc|cluster|local|internal)$|\.svc\.|(?:^|\.)(?:kubernetes|x-k8s|k8s)\.io$/.test(name) &&
    name !== 'k8s.gcr.io'
  );
}

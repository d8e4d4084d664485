// Decides how certain a reference is, by the form of the text and by its surroundings. This is the only file that does so. Relies on image-text.ts.
import type { Reference } from '../oci/reference.ts';
import type { ScannedDocument } from './contract.ts';
import { hasRealHost, isUnmistakable } from './image-text.ts';
import type { ImageKey } from './key-names.ts';
import type { KubernetesObject } from './walk.ts';

/** `used`, or the reason why it is only a maybe. `undefined`: not an image. */
export type Verdict =
  | { readonly certainty: 'used' }
  | { readonly certainty: 'maybe'; readonly reason: string }
  | undefined;

const USED: Verdict = { certainty: 'used' };

/** Well-known registries. A reference to one of them is recognised anywhere. */
const KNOWN_REGISTRIES =
  /^(?:docker\.io|quay\.io|ghcr\.io|lscr\.io|cgr\.dev|nvcr\.io|k8s\.gcr\.io|gcr\.io|cr\.l5d\.io|mcr\.microsoft\.com|public\.ecr\.aws|docker\.elastic\.co|icr\.io|xpkg\.upbound\.io)$|\.(?:gcr\.io|pkg\.dev|azurecr\.io|amazonaws\.com|redhat\.com|redhat\.io|icr\.io|quay\.io|docker\.com|aliyuncs\.com)$|^(?:registry|docker|images?|cr|harbor|oci|containers?)\d*[.-]/;

/** API groups whose `image` is watched, matched or built, and not run. */
const NOT_RUN: Readonly<Record<string, string>> = {
  'image.toolkit.fluxcd.io': 'it is watched for new tags',
  skaffold: 'it is built from sources',
  'kyverno.io': 'it is what a policy matches',
  'templates.gatekeeper.sh': 'it is what a policy matches',
  'constraints.gatekeeper.sh': 'it is what a policy matches',
  'policy.sigstore.dev': 'it is what a policy matches',
  'scorecard.operatorframework.io': 'only run by `operator-sdk scorecard`',
};

/** API groups that describe machines. Their images are disks of clouds and hypervisors. */
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

/** The reason for an image without a tag in settings and scripts. An image that is to run usually has a tag there. */
export const UNTAGGED = 'without a tag it may be a part of a name, or a pattern';

export function isVersioned({ tag, digest }: Reference): boolean {
  return tag !== undefined || digest !== undefined;
}

/** Whether the text is a value of a ConfigMap or Secret, or belongs to an embedded document outside of any object. */
export function isSetting(document: ScannedDocument, object: KubernetesObject | undefined): boolean {
  if (!object) return document.isEmbedded === true;
  return object.group === '' && (object.kind === 'ConfigMap' || object.kind === 'Secret');
}

/** Why the object's images are not run: a policy matches them, or a tool watches them. Returns `undefined` if they are run. */
export function whyNotRun(object: KubernetesObject | undefined): string | undefined {
  return object && Object.hasOwn(NOT_RUN, object.group) ? NOT_RUN[object.group] : undefined;
}

/** Whether the reference is recognisable without context: it has a well-known registry or a digest. */
export function isSurelyImage(reference: Reference): boolean {
  if (!readsLikeImage(reference)) return false;
  return reference.digest !== undefined || KNOWN_REGISTRIES.test(reference.host ?? '');
}

/** Whether the text has the usual form of a reference. Only its surroundings tell whether it is something else. */
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

/** `localhost:8080`, `12:30`, `10.0.0.1:80`: a port or a time, and not a tag. */
function isAddress({ host, path, tag }: Reference): boolean {
  if (host !== undefined || path.includes('/')) return false;
  return /^\d+$/.test(tag ?? '') && /^(?:localhost|\d+(?:\.\d+)*)$/.test(path);
}

/** Names of services inside a cluster, and the domains that prefix labels and taints. */
function isClusterAddress({ host }: Reference): boolean {
  const name = (host ?? '').replace(/:\d+$/, '');
  if (/^(?:registry|docker|harbor)\b/.test(name)) return false;
  return (
    /\.(?:svc|cluster|local|internal)$|\.svc\.|(?:^|\.)(?:kubernetes|x-k8s|k8s)\.io$/.test(name) &&
    name !== 'k8s.gcr.io'
  );
}

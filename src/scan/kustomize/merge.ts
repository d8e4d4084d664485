// Strategic merge of a patch into a resource. Format: kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch.
import { addAll } from '../../oci/add-all.ts';
import { copyFrom, isFields, type ResourceFields, type ResourceOrigin, setFrom } from './resource.ts';

/** Lists whose entries are merged by a key. Other lists are replaced as a whole (kubernetes.io API reference, "patch merge key"). */
const MERGE_KEYS: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'],
  initContainers: ['name'],
  ephemeralContainers: ['name'],
  volumes: ['name'],
  env: ['name'],
  imagePullSecrets: ['name'],
  volumeMounts: ['mountPath'],
  volumeDevices: ['devicePath'],
  ports: ['containerPort', 'port'],
  hostAliases: ['ip'],
  topologySpreadConstraints: ['topologyKey'],
};

/** Only built-in kinds of Kubernetes have merge keys. Custom resources are merged like JSON (RFC 7386). */
const BUILT_IN_GROUP = /^(?:v1|[a-z]+\/v\w+|[\w-]+\.k8s\.io\/v\w+)$/;

/** Merges a patch in place. Returns `false` if the patch deletes the resource. */
export function mergeResource(target: ResourceFields, patch: ResourceFields, source: ResourceOrigin): boolean {
  if (patch.$patch === 'delete') return false;
  const isBuiltIn = BUILT_IN_GROUP.test(String(target.apiVersion ?? ''));
  mergeFields(target, patch, { source, isBuiltIn });
  return true;
}

interface Merging {
  readonly source: ResourceOrigin;
  readonly isBuiltIn: boolean;
}

function mergeFields(target: ResourceFields, patch: ResourceFields, merging: Merging): void {
  if (patch.$patch === 'replace') for (const key of Object.keys(target)) delete target[key];
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$')) continue;
    const inner: Merging = { ...merging, source: below(merging.source, key) };
    const known = target[key];
    if (value === null) delete target[key];
    else if (isFields(value) && value.$patch === 'delete') delete target[key];
    else if (isFields(value) && isFields(known)) mergeFields(known, value, inner);
    else if (Array.isArray(value) && Array.isArray(known) && mergeKeyOf(key, value, merging)) {
      mergeList(known, value, { ...inner, key: mergeKeyOf(key, value, merging) as string });
    } else setFrom(inner.source, target, key)(withoutDirectives(value));
  }
}

function mergeKeyOf(name: string, patch: readonly unknown[], { isBuiltIn }: Merging): string | undefined {
  if (!isBuiltIn) return undefined;
  return MERGE_KEYS[name]?.find((key) => patch.every((item) => isFields(item) && (key in item || '$patch' in item)));
}

/** Like kustomize, puts new entries of the patch first. */
function mergeList(target: unknown[], patch: readonly unknown[], merging: Merging & { readonly key: string }): void {
  const { key, source } = merging;
  if (patch.some((item) => isFields(item) && item.$patch === 'replace' && !(key in item))) target.length = 0;
  const entries = Map.groupBy(target.filter(isFields), (known) => known[key]);
  const deleted = new Set<unknown>();
  const added: unknown[] = [];
  for (const [index, item] of patch.entries()) {
    if (!isFields(item) || !(key in item)) continue;
    const inner = { ...merging, source: below(source, index) };
    const same = entries.get(item[key]) ?? [];
    const [known] = same;
    if (item.$patch === 'delete') {
      if (known) deleted.add(same.shift());
    } else if (known) mergeFields(known, item, inner);
    else added.push(copyFrom(inner.source, withoutDirectives(item)));
  }
  const left = target.filter((known) => !deleted.has(known));
  target.length = 0;
  addAll(target, added);
  addAll(target, left);
}

function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value))
    return value.filter((item) => !isFields(item) || item.$patch !== 'delete').map(withoutDirectives);
  if (!isFields(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(
        ([key, item]) => !/^\$(?:patch|retainKeys|setElementOrder|deleteFromPrimitiveList)/.test(key) && item !== null,
      )
      .map(([key, item]) => [key, withoutDirectives(item)]),
  );
}

function below(source: ResourceOrigin, key: string | number): ResourceOrigin {
  return { document: source.document, path: [...source.path, key] };
}

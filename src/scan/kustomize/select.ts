// Selects the resources for a patch. Format: kubectl.docs.kubernetes.io/references/kustomize/kustomization/patches.
import { nameTest } from '../patterns.ts';
import { isFields, type Resource, type ResourceFields } from './resource.ts';

/**
 * Whether the target's fields match: group, version, kind, name and namespace as anchored patterns, and label and annotation selectors. Name and namespace are
 * the original or the current ones, not those of the kustomizations in between (`Select` in api/resmap/reswrangler.go).
 */
export function isSelected(resource: Resource, target: ResourceFields): boolean {
  const { value } = resource;
  const apiVersion = String(value.apiVersion ?? '');
  const slash = apiVersion.indexOf('/');
  const metadata = isFields(value.metadata) ? value.metadata : {};
  return (
    matchesAny(target.group, [slash < 0 ? '' : apiVersion.slice(0, slash)]) &&
    matchesAny(target.version, [apiVersion.slice(slash + 1)]) &&
    matchesAny(target.kind, [String(value.kind ?? '')]) &&
    matchesAny(target.name, ends(resource.names)) &&
    matchesAny(target.namespace, ends(resource.namespaces)) &&
    meetsSelector(target.labelSelector, metadata.labels) &&
    meetsSelector(target.annotationSelector, metadata.annotations)
  );
}

function ends(texts: readonly string[]): readonly string[] {
  return texts.length > 2 ? [...texts.slice(0, 1), ...texts.slice(-1)] : texts;
}

/** Whether a patch without a target names this resource. */
export function isNamedBy(resource: Resource, patch: unknown): boolean {
  if (!isFields(patch)) return false;
  const metadata = isFields(patch.metadata) ? patch.metadata : {};
  const { value } = resource;
  return (
    value.kind === patch.kind && groupOf(value) === groupOf(patch) && resource.names.includes(String(metadata.name))
  );
}

function groupOf(value: ResourceFields): string {
  const apiVersion = String(value.apiVersion ?? '');
  return apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
}

function matchesAny(pattern: unknown, texts: readonly string[]): boolean {
  if (pattern === undefined || pattern === null || pattern === '') return true;
  const source = String(pattern);
  const matches = nameTest(source, (name) => `^(?:${name})$`);
  return matches ? texts.some(matches.test) : texts.includes(source);
}

/** Evaluates a selector such as `app=x,tier!=y,zone in (a, b),!old`. */
function meetsSelector(selector: unknown, given: unknown): boolean {
  if (typeof selector !== 'string' || selector.trim() === '') return true;
  const labels = isFields(given) ? given : {};
  return partsOf(selector).every((part) => {
    const set = /^\s*(\S+)\s+(in|notin)\s+\(([^)]*)\)\s*$/.exec(part);
    if (set) {
      const isIn = (set[3] ?? '').split(',').some((item) => item.trim() === String(labels[set[1] ?? '']));
      return isIn === (set[2] === 'in');
    }
    const [, not, name = '', operator, value] = /^(!?)([^=!\s]+)(?:\s*(==|=|!=)\s*(\S*))?$/.exec(part.trim()) ?? [];
    if (operator === undefined) return Object.hasOwn(labels, name) !== (not === '!');
    return (String(labels[name]) === value) === (operator !== '!=');
  });
}

/** Splits a selector at the commas outside of parentheses. */
function partsOf(selector: string): readonly string[] {
  const parts: string[] = [];
  let from = 0;
  let isInside = false;
  for (let at = 0; at < selector.length; at++) {
    const char = selector[at];
    if (char === '(' || char === ')') isInside = char === '(';
    if (char !== ',' || isInside) continue;
    parts.push(selector.slice(from, at));
    from = at + 1;
  }
  return [...parts, selector.slice(from)];
}

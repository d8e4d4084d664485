// Token scopes: `repository:NAME:ACTION,…` (distribution's token specification, "Requesting a Token").

export type TokenScope = string;

export const CATALOGUE_SCOPE: TokenScope = 'registry:catalog:*';

export function repositoryScope(repository: string, ...actions: readonly ('pull' | 'push' | 'delete')[]): TokenScope {
  return `repository:${repository}:${actions.join(',')}`;
}

/** Merges scopes: one for each resource, with all actions. Sorted, so that equal sets are equal texts. */
export function mergeScopes(scopes: readonly TokenScope[]): readonly TokenScope[] {
  const actions = new Map<string, Set<string>>();
  for (const scope of scopes) {
    const { resource, actions: wanted } = splitScope(scope);
    const known = actions.get(resource) ?? new Set();
    for (const action of wanted) known.add(action);
    actions.set(resource, known);
  }
  return [...actions].map(([resource, set]) => `${resource}:${[...set].sort().join(',')}`).sort();
}

/** Whether a token for the scopes `held` is good for the scopes `wanted`. */
export function coversScopes(held: readonly TokenScope[], wanted: readonly TokenScope[]): boolean {
  const all = new Map(held.map((scope) => [splitScope(scope).resource, splitScope(scope).actions]));
  return wanted.every((scope) => {
    const { resource, actions } = splitScope(scope);
    return actions.every((action) => all.get(resource)?.includes(action));
  });
}

function splitScope(scope: TokenScope): { readonly resource: string; readonly actions: readonly string[] } {
  const colon = scope.lastIndexOf(':');
  if (colon < 0) return { resource: scope, actions: [] };
  return { resource: scope.slice(0, colon), actions: scope.slice(colon + 1).split(',') };
}

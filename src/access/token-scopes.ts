// What a token is asked for: `repository:NAME:pull,push`, separated by blanks ("Token Scope Documentation" of distribution). Pure.
import { ImagesError } from '../oci/errors.ts';
import { isRepositoryPath } from '../oci/reference.ts';
import { repositories } from '../registry/policies/name-lookup.ts';
import { ACTIONS, type AccessScope, type Action } from './contract.ts';

/** A scope of a kind that this registry does not have is no mistake: nothing is granted for it. */
export type RequestedScope =
  | { readonly type: 'repository'; readonly name: string; readonly actions: readonly Action[] }
  | { readonly type: 'catalog' }
  | { readonly type: 'other' };

/** What is granted of the requested scopes. */
export interface Granted {
  readonly scopes: readonly AccessScope[];
  /** What the catalogue may show; absent if it was not asked for. */
  readonly listed?: readonly AccessScope[];
  /** As the scopes were asked for, without what is not granted. */
  readonly text: string;
}

const MAX_SCOPES = 100;
const MAX_LENGTH = 16 * 1024;
/** `TYPE(CLASS):NAME:ACTIONS`; a name may begin with a host and its port, so it may have colons itself. */
const SCOPE = /^([a-z0-9]+)(?:\([a-z0-9]+\))?:([^:]+(?::\d+\/[^:]+)?):([\w*,-]*)$/;

/** `texts` are the parameters; each may have several scopes. Errors: USAGE, for texts that are no scopes, and for too many. */
export function parseTokenScopes(texts: readonly string[]): readonly RequestedScope[] {
  if (texts.reduce((sum, { length }) => sum + length, 0) > MAX_LENGTH) refuseScope('they are too long');
  const words = texts.flatMap((text) => text.split(' ')).filter((word) => word !== '');
  if (words.length > MAX_SCOPES) refuseScope(`there are more than ${MAX_SCOPES}`);
  return words.map(parseScope);
}

/**
 * Grants the actions that `may` allows now. A name stands for each repository that it may mean (`docker.io/team/app` for `team/app`, too), and each of them is
 * granted by its own name: so the scope of a token never stands for more than was allowed when it was made.
 */
export function grantScopes(
  requested: readonly RequestedScope[],
  {
    may,
    listed,
  }: {
    readonly may: (action: Action, repository: string) => boolean;
    /** All that may be shown in the catalogue. */
    readonly listed: readonly AccessScope[];
  },
): Granted {
  const granted = new Map<string, Set<Action>>();
  const texts: string[] = [];
  for (const scope of requested) {
    if (scope.type === 'catalog') texts.push('registry:catalog:*');
    if (scope.type !== 'repository') continue;
    const any = new Set<Action>();
    for (const repository of repositories(scope.name)) {
      const actions = scope.actions.filter((action) => may(action, repository));
      if (actions.length === 0) continue;
      const known = granted.get(repository) ?? new Set();
      granted.set(repository, known);
      for (const action of actions) {
        known.add(action);
        any.add(action);
      }
    }
    if (any.size > 0) texts.push(`repository:${scope.name}:${[...any].join(',')}`);
  }
  return {
    scopes: Array.from(granted, ([name, actions]) => ({ repositories: name, actions: [...actions] })),
    ...(requested.some(({ type }) => type === 'catalog') && { listed }),
    text: texts.join(' '),
  };
}

function parseScope(text: string): RequestedScope {
  const [, type, name = '', actions = ''] = SCOPE.exec(text) ?? refuseScope('one of them is not TYPE:NAME:ACTIONS');
  if (type === 'registry' && name === 'catalog') return { type: 'catalog' };
  // A name with `*` is no name: it must never become a pattern.
  if (type !== 'repository' || !isRepositoryPath(name)) return { type: 'other' };
  const wanted = actions.split(',');
  return { type, name, actions: ACTIONS.filter((action) => wanted.includes(action) || wanted.includes('*')) };
}

function refuseScope(what: string): never {
  throw new ImagesError('USAGE', `the scopes are not understood: ${what}`);
}

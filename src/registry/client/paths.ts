// Where things are below an endpoint's root (distribution specification 1.1, "Endpoints").
import { ImagesError } from '../../oci/errors.ts';
import { isRepositoryPath } from '../../oci/reference.ts';

type Query = Readonly<Record<string, string | undefined>>;

/** `rest` begins without `/`. Errors: NAME_INVALID: what is no name must not become another path. */
export function repositoryPath(repository: string, rest: string, query: Query = {}): string {
  if (!isRepositoryPath(repository)) {
    throw new ImagesError('NAME_INVALID', `not a repository name [${repository}]`);
  }
  return pathWithQuery(`/${repository}/${rest}`, query);
}

export function pathWithQuery(path: string, query: Query): string {
  const parameters = Object.entries(query)
    .filter((entry): entry is [string, string] => entry[1] !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(value).replaceAll('%3A', ':').replaceAll('%2F', '/')}`);
  return parameters.length === 0 ? path : `${path}?${parameters.join('&')}`;
}

// Paths below an endpoint's root (distribution specification 1.1, "Endpoints").
import { pathWithQuery, type Query } from '../../io/http/http-url.ts';
import { ImagesError } from '../../oci/errors.ts';
import { isRepositoryPath } from '../../oci/reference.ts';

/** `rest` has no leading `/`. Errors: NAME_INVALID, because an invalid name could lead to another path. */
export function repositoryPath(repository: string, rest: string, query: Query = {}): string {
  if (!isRepositoryPath(repository)) {
    throw new ImagesError('NAME_INVALID', `not a repository name [${repository}]`);
  }
  return pathWithQuery(`/${repository}/${rest}`, query);
}

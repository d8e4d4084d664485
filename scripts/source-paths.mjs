// Where source maps say that the sources are: seen from where a bundle will be, not from where it is built.
import { dirname, join, relative, resolve } from 'node:path';

/** An option of the bundler: what is built in `from` will be in `to`. */
export function sourcePaths(from, to) {
  return (source, map) => relative(dirname(join(to, relative(from, map))), resolve(dirname(map), source));
}

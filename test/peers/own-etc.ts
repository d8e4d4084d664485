// A machine of its own as far as /etc and processes go (root only): namespaces in which some of its directories and files are a test's, and nothing else runs.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Result, run } from './process.ts';

const BIND = `root=$1; shift
while [ "$1" != -- ]; do mount --bind "$root/$1" "/$1" || exit 125; shift; done
shift
exec "$@"`;

/** Runs a command that sees `root`'s files in the place of these of the machine, which have to be there. */
export async function inOwnEtc(
  root: string,
  paths: readonly string[],
  command: readonly string[],
  options: Parameters<typeof run>[2] = {},
): Promise<Result> {
  const there = paths.filter((path) => existsSync(join('/', path)));
  return await run(
    'unshare',
    ['-mpf', '--mount-proc', 'sh', '-c', BIND, 'sh', root, ...there, '--', ...command],
    options,
  );
}

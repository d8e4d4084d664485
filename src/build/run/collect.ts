// Packs what a command has left behind, in the namespace in which it can be read.
import { text } from 'node:stream/consumers';
import { ImagesError } from '../../oci/errors.ts';
import type { Namespaces } from './namespace.ts';

const TAR_CREATE =
  "tar -c --format=pax --numeric-owner --sort=name --no-recursion --xattrs --xattrs-include='*' --null -T - -f -";

/** Names as find prints them, in byte order, so that parents come first. */
const COLLECT = `set -e; cd -- "$1"; find . -xdev -print0 | LC_ALL=C sort -z | ${TAR_CREATE}`;
const COLLECT_LISTED = `set -e; cd -- "$1"; ${TAR_CREATE}`;

/** The longest message of tar that is kept: it may quote a long path, and only its beginning and its end (the reason) matter. */
const LONGEST = 200;

/** An archive of everything in a directory, or of `names` in it, each terminated by a NUL. Errors: BUILD_FAILED. */
export async function* collected(
  directory: string,
  namespaces: Namespaces,
  names?: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const started = await namespaces.start(names ? COLLECT_LISTED : COLLECT, { args: [directory] });
  const said = text(started.stderr);
  if (names) for await (const chunk of names) started.stdin.write(chunk);
  started.stdin.end();
  try {
    yield* started.stdout;
    const status = await started.status;
    if (status !== 0) {
      const [line = ''] = (await said).trim().split('\n');
      throw new ImagesError('BUILD_FAILED', `what the command changed cannot be read [${shortened(line)}]`);
    }
  } finally {
    started.control.destroy();
    started.stdout.destroy();
  }
}

function shortened(line: string): string {
  return line.length > LONGEST ? `${line.slice(0, LONGEST / 2)}…${line.slice(-LONGEST / 2)}` : line;
}

// The program `images` of this package, for callers of the library that start it as a process of its own.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ImagesError } from '../../oci/errors.ts';

/** A package finds itself by its name; so does code of it that another program has bundled, if the package is installed beside that program. */
const MANIFEST = '@images-oci/images/package.json';

/** The command that starts the program. `from` is the file or URL that looks for it. Errors: CONFIG_INVALID (the package is not installed there). */
export function ownProgram(from: string = import.meta.url): readonly [string] {
  try {
    return [join(dirname(createRequire(from).resolve(MANIFEST)), 'bin/images')];
  } catch (cause) {
    throw new ImagesError('CONFIG_INVALID', `the program \`images\` is not installed beside this code [${from}]`, {
      hint: 'Name the command that starts it: the option `program`.',
      cause,
    });
  }
}

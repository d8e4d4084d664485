// Whether files are where their names say, below a root. That may be an image's: a link in it leads to the same name on this machine.
import { realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { behindLinks } from '../io/files/special-file.ts';
import { ImagesError } from '../oci/errors.ts';

/** Errors: CONFIG_INVALID. */
export async function checkInside(root: string, files: readonly { readonly path: string }[]): Promise<void> {
  const inside = await realpath(root).catch(() => root);
  if (inside === '/') return;
  for (const { path } of files) {
    const real = await realpathOfNearest(path);
    if (real === inside || real.startsWith(`${inside}/`)) continue;
    throw new ImagesError('CONFIG_INVALID', `a link leads out of ${root} [${path}]`, {
      hint: 'Replace the link by a directory, or name other clients with --client.',
    });
  }
}

/** Of the path, or of what there is of it. */
async function realpathOfNearest(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    const target = await behindLinks(at).catch(() => at);
    const real = await realpath(target).catch(() => undefined);
    if (real !== undefined) return real;
    // A link to what is not there: it would be made.
    if (target !== at) return await realpathOfNearest(target);
  }
}

// Writes an archive to stdout, unless that is a terminal, or atomically to a file.
import { tapped } from '../../io/streams/verify.ts';
import { ImagesError } from '../../oci/errors.ts';
import { createBufferCollector } from '../process/much-data.ts';
import { streamOut } from './stream-out.ts';

export type ArchiveOut = (data: AsyncIterable<Uint8Array>) => Promise<void>;

/** `-` is stdout. Errors: USAGE (a terminal), thrown at once; those of the data and of the file system, when the result is called. */
export function archiveOut(output: string | undefined, what: string): ArchiveOut {
  if (output !== undefined && output !== '-') {
    return async (data) => {
      const { writeStreamAtomically } = await import('../../io/files/atomic-stream.ts');
      const collect = createBufferCollector();
      await writeStreamAtomically(
        output,
        tapped(data, ({ length }) => collect(length)),
      );
    };
  }
  refuseTerminal(what);
  return streamOut;
}

/** Errors: USAGE if the archive would go to a terminal. */
export function refuseTerminal(what: string): void {
  if (!process.stdout.isTTY) return;
  throw new ImagesError('USAGE', `${what} is not for a terminal [stdout]`, {
    hint: 'Write it to a file (> FILE) or to a program (| tar t).',
  });
}

const STDOUT = String.raw`(?:-|\/dev\/stdout|\/dev\/fd\/1|\/proc\/self\/fd\/1)`;
const FILE_OF_STDOUT = new RegExp(`^${STDOUT}$`);
const LOCATION_OF_STDOUT = new RegExp(`^(?:oci|docker)-archive:${STDOUT}(?::|$)`);

/** Whether a file, or a location of `copy`, is standard output. */
export function isStdout(fileOrLocation: string): boolean {
  return FILE_OF_STDOUT.test(fileOrLocation) || LOCATION_OF_STDOUT.test(fileOrLocation);
}

/** Reserves stdout for the archive: `target` is stdout, and `other` is further output that would go there. Errors: USAGE, also for a terminal. */
export function claimStdout(target: string, other: string | undefined): void {
  if (other !== undefined) {
    throw new ImagesError('USAGE', `both the archive and ${other} go to stdout [${target}]`, {
      hint: 'Write the archive to a file.',
    });
  }
  refuseTerminal('The archive');
}

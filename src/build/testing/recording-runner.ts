// A machine for RUN in tests of evaluation: it keeps what it is asked, and what "changed" is what the test says. The real one has tests of its own (build/run).
import { archiveOf, type TestEntry } from '../../rootfs/testing/layers.ts';
import type { Runner, RunRequest } from '../contract.ts';

export interface RecordingRunner extends Runner {
  readonly requests: RunRequest[];
}

/** `changes` of a request: an entry for each run that names its arguments where absent. */
export function recordingRunner(
  changes: (request: RunRequest) => readonly TestEntry[] = ({ args }) => [{ name: 'ran', content: args.join(' ') }],
): RecordingRunner {
  const requests: RunRequest[] = [];
  return {
    requests,
    check: async () => {},
    run: async (request) => {
      requests.push(request);
      const status = request.args.at(-1) === 'false' ? 7 : 0;
      const archive = await archiveOf(changes(request));
      async function* bytes(): AsyncGenerator<Uint8Array> {
        yield archive;
      }
      request.onOutput?.(Buffer.from('said\n'));
      const mended = status === 0 ? {} : { hint: 'Mend the machine.' };
      return { status, ...mended, changes: bytes(), async [Symbol.asyncDispose]() {} };
    },
  };
}

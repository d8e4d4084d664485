// A fake `Runner` for tests of evaluation: records requests; the test defines what "changed". The real one has tests of its own (build/run).
import { archiveOf, type TestEntry } from '../../rootfs/testing/layers.ts';
import type { Runner, RunRequest } from '../contract.ts';

export interface RecordingRunner extends Runner {
  readonly requests: RunRequest[];
}

/** `changes` gives the entries for a request. If absent, each RUN makes one entry with its arguments. */
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
